package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

var configMaps = schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}

// recorder keeps what handlers of an informer were told, as "added NAME" and the like.
type recorder struct {
	mu   sync.Mutex
	told []string
}

func (r *recorder) note(what string, object any) {
	if tombstone, is := object.(cache.DeletedFinalStateUnknown); is {
		object = tombstone.Obj
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.told = append(r.told, what+" "+object.(metav1.Object).GetName())
}

func (r *recorder) count(line string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	found := 0
	for _, told := range r.told {
		if told == line {
			found++
		}
	}
	return found
}

func (r *recorder) listenTo(informer cache.SharedIndexInformer) error {
	_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: func(object any) { r.note("added", object) },
		UpdateFunc: func(old, object any) {
			if old.(metav1.Object).GetResourceVersion() != object.(metav1.Object).GetResourceVersion() {
				r.note("updated", object)
			}
		},
		DeleteFunc: func(object any) { r.note("deleted", object) },
	})
	return err
}

// requests counts how lists come: as initial events of a watch, or as a list.
type requests struct {
	http.RoundTripper
	mu                sync.Mutex
	watchLists, lists int
}

func (r *requests) RoundTrip(request *http.Request) (*http.Response, error) {
	if strings.HasSuffix(request.URL.Path, "/configmaps") && request.Method == http.MethodGet {
		r.mu.Lock()
		if request.URL.Query().Get("sendInitialEvents") == "true" {
			r.watchLists++
		} else if request.URL.Query().Get("watch") == "" {
			r.lists++
		}
		r.mu.Unlock()
	}
	return r.RoundTripper.RoundTrip(request)
}

// checkInformers: typed (protobuf), dynamic (JSON) and metadata informers see each change once, also those around a crash
// of the API server, and begin with a streamed list.
func checkInformers(ctx context.Context, s *scene) error {
	counted := &requests{}
	counting := rest.CopyConfig(s.config)
	counting.Wrap(func(inner http.RoundTripper) http.RoundTripper {
		counted.RoundTripper = inner
		return counted
	})
	if err := s.createConfigMaps(ctx, "before", 5); err != nil {
		return err
	}
	typed := informers.NewSharedInformerFactoryWithOptions(kubernetes.NewForConfigOrDie(counting), 0, informers.WithNamespace(s.namespace))
	plain := dynamicinformer.NewFilteredDynamicSharedInformerFactory(dynamic.NewForConfigOrDie(jsonConfig(s.config)), 0, s.namespace, nil)
	heads := metadatainformer.NewFilteredSharedInformerFactory(metadata.NewForConfigOrDie(s.config), 0, s.namespace, nil)
	all := map[string]cache.SharedIndexInformer{
		"typed":    typed.Core().V1().ConfigMaps().Informer(),
		"dynamic":  plain.ForResource(configMaps).Informer(),
		"metadata": heads.ForResource(configMaps).Informer(),
	}
	recorders := map[string]*recorder{}
	for name, informer := range all {
		recorders[name] = &recorder{}
		if err := recorders[name].listenTo(informer); err != nil {
			return err
		}
	}
	typed.Start(ctx.Done())
	plain.Start(ctx.Done())
	heads.Start(ctx.Done())
	for name, informer := range all {
		if !cache.WaitForCacheSync(ctx.Done(), informer.HasSynced) {
			return fmt.Errorf("the %s informer does not synchronize", name)
		}
	}
	if err := expect(counted.watchLists == 1 && counted.lists == 0, "%d streamed lists, %d lists", counted.watchLists, counted.lists); err != nil {
		return err
	}
	if err := restartServer(); err != nil {
		return err
	}
	if err := s.changeConfigMaps(ctx); err != nil {
		return err
	}
	for name, seen := range recorders {
		for _, line := range []string{"added before-0", "added after-0", "updated before-1", "deleted before-2"} {
			what := fmt.Sprintf("the %s informer tells once: %s (%v)", name, line, seen.told)
			if err := eventually(ctx, what, func() (bool, error) { return seen.count(line) == 1, nil }); err != nil {
				return err
			}
		}
		if err := expect(len(all[name].GetStore().List()) == 7, "%s store: %v", name, all[name].GetStore().ListKeys()); err != nil {
			return err
		}
	}
	fmt.Printf("streamed lists: %d, lists: %d\n", counted.watchLists, counted.lists)
	found, err := typed.Core().V1().ConfigMaps().Lister().ConfigMaps(s.namespace).List(labels.SelectorFromSet(labels.Set{"changed": "yes"}))
	if err != nil {
		return err
	}
	return expect(len(found) == 1 && found[0].Name == "before-1", "by label: %v", found)
}

// changeConfigMaps adds three, changes one, deletes one.
func (s *scene) changeConfigMaps(ctx context.Context) error {
	if err := s.createConfigMaps(ctx, "after", 3); err != nil {
		return err
	}
	objects := s.client.CoreV1().ConfigMaps(s.namespace)
	first, err := objects.Get(ctx, "before-1", metav1.GetOptions{})
	if err != nil {
		return err
	}
	first.Labels = map[string]string{"changed": "yes"}
	if _, err := objects.Update(ctx, first, metav1.UpdateOptions{}); err != nil {
		return err
	}
	return objects.Delete(ctx, "before-2", metav1.DeleteOptions{})
}

func (s *scene) createConfigMaps(ctx context.Context, prefix string, count int) error {
	for i := range count {
		object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("%s-%d", prefix, i)}, Data: map[string]string{"n": fmt.Sprint(i)}}
		if _, err := s.client.CoreV1().ConfigMaps(s.namespace).Create(ctx, object, metav1.CreateOptions{}); err != nil {
			return err
		}
	}
	return nil
}

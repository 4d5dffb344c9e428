package main

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/pager"
	watchtools "k8s.io/client-go/tools/watch"
)

// checkReads: discovery and mapping, the dynamic and the metadata client, pages, and a watch that goes on where it was.
func checkReads(ctx context.Context, s *scene) error {
	for _, check := range []func(context.Context, *scene) error{mapKinds, readUnstructured, readPages, watchOn} {
		if err := check(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

func mapKinds(_ context.Context, s *scene) error {
	groups, resources, err := s.client.Discovery().ServerGroupsAndResources()
	if err != nil {
		return err
	}
	if err := expect(len(groups) > 15 && len(resources) > 20, "%d groups, %d group versions", len(groups), len(resources)); err != nil {
		return err
	}
	mapped, err := restmapper.GetAPIGroupResources(s.client.Discovery())
	if err != nil {
		return err
	}
	mapper := restmapper.NewShortcutExpander(restmapper.NewDiscoveryRESTMapper(mapped), s.client.Discovery(), nil)
	for short, want := range map[string]string{"deploy": "apps/v1, Resource=deployments", "hpa": "autoscaling/v2, Resource=horizontalpodautoscalers"} {
		resource, err := mapper.ResourceFor(schema.GroupVersionResource{Resource: short})
		if err != nil {
			return err
		}
		if err := expect(resource.String() == want, "%s is %s", short, resource); err != nil {
			return err
		}
	}
	version, err := s.client.Discovery().ServerVersion()
	if err != nil {
		return err
	}
	paths, err := s.client.Discovery().OpenAPIV3().Paths()
	if err != nil {
		return err
	}
	fmt.Printf("server %s, %d group versions, %d documents\n", version.GitVersion, len(resources), len(paths))
	document, err := paths["apis/apps/v1"].Schema("application/com.github.proto-openapi.spec.v3@v1.0+protobuf")
	if err != nil {
		return err
	}
	return expect(version.Major == "1" && version.Minor == "37" && len(document) > 10_000, "%+v, %d bytes of apps/v1", version, len(document))
}

func readUnstructured(ctx context.Context, s *scene) error {
	if err := s.createConfigMaps(ctx, "read", 3); err != nil {
		return err
	}
	object, err := dynamic.NewForConfigOrDie(s.config).Resource(configMaps).Namespace(s.namespace).Get(ctx, "read-1", metav1.GetOptions{})
	if err != nil {
		return err
	}
	if err := expect(object.GetKind() == "ConfigMap" && object.Object["data"].(map[string]any)["n"] == "1", "%v", object); err != nil {
		return err
	}
	heads, err := metadata.NewForConfigOrDie(s.config).Resource(configMaps).Namespace(s.namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	return expect(len(heads.Items) >= 3 && heads.Items[0].UID != "", "%+v", heads)
}

func readPages(ctx context.Context, s *scene) error {
	if err := s.createConfigMaps(ctx, "page", 25); err != nil {
		return err
	}
	pages, names := 0, map[string]bool{}
	reader := pager.New(func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
		pages++
		return s.client.CoreV1().ConfigMaps(s.namespace).List(ctx, options)
	})
	reader.PageSize = 10
	err := reader.EachListItem(ctx, metav1.ListOptions{}, func(object runtime.Object) error {
		names[object.(*corev1.ConfigMap).Name] = true
		return nil
	})
	if err != nil {
		return err
	}
	first, err := s.client.CoreV1().ConfigMaps(s.namespace).List(ctx, metav1.ListOptions{Limit: 10})
	if err != nil {
		return err
	}
	left := first.RemainingItemCount
	return expect(pages == 3 && len(names) >= 28 && left != nil && int(*left) == len(names)-10, "%d pages, %d names, %v remain", pages, len(names), left)
}

func watchOn(ctx context.Context, s *scene) error {
	objects := s.client.CoreV1().ConfigMaps(s.namespace)
	list, err := objects.List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	// A RetryWatcher insists on the ResourceVersion of each event, bookmarks included.
	watcher, err := watchtools.NewRetryWatcherWithContext(ctx, list.ResourceVersion, watchesOf(objects))
	if err != nil {
		return err
	}
	defer watcher.Stop()
	if err := s.createConfigMaps(ctx, "watched", 2); err != nil {
		return err
	}
	for i := range 2 {
		event := <-watcher.ResultChan()
		object, is := event.Object.(*corev1.ConfigMap)
		if err := expect(is && event.Type == watch.Added && object.Name == fmt.Sprintf("watched-%d", i), "%v", event); err != nil {
			return err
		}
	}
	future := &metav1.ListOptions{ResourceVersion: "99999999", ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan}
	// By itself the client would ask ten times, as the answer tells it to.
	request := s.client.CoreV1().RESTClient().Get().Namespace(s.namespace).Resource("configmaps").MaxRetries(0)
	err = request.VersionedParams(future, scheme.ParameterCodec).Do(ctx).Error()
	return expect(apierrors.IsTimeout(err) && apierrors.HasStatusCause(err, metav1.CauseTypeResourceVersionTooLarge), "of the future: %v", err)
}

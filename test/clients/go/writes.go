package main

import (
	"context"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/retry"
)

// checkWrites: retry on conflict, patches, preconditions, dry run, generated names, field validation, deletecollection.
func checkWrites(ctx context.Context, s *scene) error {
	for _, check := range []func(context.Context, *scene) error{countTogether, patchAll, refuse} {
		if err := check(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// countTogether: eight writers add to one object; no addition is lost.
func countTogether(ctx context.Context, s *scene) error {
	objects := s.client.CoreV1().ConfigMaps(s.namespace)
	if _, err := objects.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "count"}}, metav1.CreateOptions{}); err != nil {
		return err
	}
	add := func() error {
		object, err := objects.Get(ctx, "count", metav1.GetOptions{})
		if err != nil {
			return err
		}
		object.Data = map[string]string{"n": object.Data["n"] + "i"}
		_, err = objects.Update(ctx, object, metav1.UpdateOptions{})
		return err
	}
	var writers sync.WaitGroup
	failures := make(chan error, 8)
	patient := retry.DefaultBackoff
	patient.Steps = 20
	for range 8 {
		writers.Go(func() { failures <- retry.RetryOnConflict(patient, add) })
	}
	writers.Wait()
	for range 8 {
		if err := <-failures; err != nil {
			return err
		}
	}
	object, err := objects.Get(ctx, "count", metav1.GetOptions{})
	if err != nil {
		return err
	}
	return expect(object.Data["n"] == "iiiiiiii", "%q", object.Data["n"])
}

func patchAll(ctx context.Context, s *scene) error {
	pods := s.client.CoreV1().Pods(s.namespace)
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "default"}}
	if _, err := s.client.CoreV1().ServiceAccounts(s.namespace).Create(ctx, account, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		return err
	}
	spec := corev1.PodSpec{Containers: []corev1.Container{{Name: "a", Image: "a:1"}, {Name: "b", Image: "b:1"}}}
	pod, err := pods.Create(ctx, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{GenerateName: "p-"}, Spec: spec}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	for kind, patch := range map[types.PatchType]string{
		types.StrategicMergePatchType: `{"spec":{"containers":[{"name":"b","image":"b:2"}]}}`,
		types.MergePatchType:          `{"metadata":{"labels":{"merged":"yes"}}}`,
		types.JSONPatchType:           `[{"op":"test","path":"/spec/containers/0/name","value":"a"},{"op":"replace","path":"/spec/containers/0/image","value":"a:2"}]`,
	} {
		if _, err := pods.Patch(ctx, pod.Name, kind, []byte(patch), metav1.PatchOptions{}); err != nil {
			return err
		}
	}
	patched, err := pods.Get(ctx, pod.Name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	images := patched.Spec.Containers[0].Image + patched.Spec.Containers[1].Image
	if err := expect(len(patched.Spec.Containers) == 2 && images == "a:2b:2" && patched.Labels["merged"] == "yes", "%+v", patched); err != nil {
		return err
	}
	_, err = pods.Patch(ctx, pod.Name, types.StrategicMergePatchType, []byte(`{"status":{"phase":"Running"}}`), metav1.PatchOptions{}, "status")
	return err
}

func refuse(ctx context.Context, s *scene) error {
	objects := s.client.CoreV1().ConfigMaps(s.namespace)
	object, err := objects.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "once"}}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	_, err = objects.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "once"}}, metav1.CreateOptions{})
	if err := expect(apierrors.IsAlreadyExists(err), "twice: %v", err); err != nil {
		return err
	}
	stale := types.UID("0000")
	err = objects.Delete(ctx, "once", metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &stale}})
	if err := expect(apierrors.IsConflict(err), "another uid: %v", err); err != nil {
		return err
	}
	_, err = objects.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "dry"}}, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
	if err != nil {
		return err
	}
	_, err = objects.Get(ctx, "dry", metav1.GetOptions{})
	if err := expect(apierrors.IsNotFound(err), "dry run: %v", err); err != nil {
		return err
	}
	_, err = objects.Patch(ctx, "once", types.MergePatchType, []byte(`{"dat":{}}`), metav1.PatchOptions{FieldValidation: "Strict"})
	if err := expect(apierrors.IsInvalid(err) || apierrors.IsBadRequest(err), "unknown field: %v", err); err != nil {
		return err
	}
	object.Immutable = new(true)
	object, err = objects.Update(ctx, object, metav1.UpdateOptions{})
	if err != nil {
		return err
	}
	object.Data = map[string]string{"a": "b"}
	_, err = objects.Update(ctx, object, metav1.UpdateOptions{})
	if err := expect(apierrors.IsInvalid(err), "immutable: %v", err); err != nil {
		return err
	}
	if err := objects.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{}); err != nil {
		return err
	}
	left, err := objects.List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	return expect(len(left.Items) == 0, "%d are left", len(left.Items))
}

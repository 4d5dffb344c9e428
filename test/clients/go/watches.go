package main

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes/typed/core/v1"
)

type watcher struct{ objects v1.ConfigMapInterface }

func watchesOf(objects v1.ConfigMapInterface) watcher { return watcher{objects} }

func (w watcher) WatchWithContext(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
	return w.objects.Watch(ctx, options)
}

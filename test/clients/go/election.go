package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// checkElection: of two processes one leads; when it is killed the other takes the lock over.
func checkElection(ctx context.Context, s *scene) error {
	candidates := map[string]*exec.Cmd{}
	for _, name := range []string{"one", "two"} {
		candidate := exec.CommandContext(ctx, os.Args[0], "candidate", s.namespace, name)
		candidate.Stderr = os.Stderr
		if err := candidate.Start(); err != nil {
			return err
		}
		candidates[name] = candidate
	}
	holder := func() (string, int32) {
		lease, err := s.client.CoordinationV1().Leases(s.namespace).Get(ctx, "lock", metav1.GetOptions{})
		if err != nil || lease.Spec.HolderIdentity == nil {
			return "", 0
		}
		return *lease.Spec.HolderIdentity, *lease.Spec.LeaseTransitions
	}
	first := ""
	if err := eventually(ctx, "somebody leads", func() (bool, error) { first, _ = holder(); return first != "", nil }); err != nil {
		return err
	}
	if err := candidates[first].Process.Kill(); err != nil {
		return err
	}
	_ = candidates[first].Wait() // It was killed: that is its error.
	second := map[string]string{"one": "two", "two": "one"}[first]
	taken := func() (bool, error) {
		now, transitions := holder()
		return now == second && transitions == 1, fmt.Errorf("%q leads after %d transitions", now, transitions)
	}
	if err := eventually(ctx, second+" takes over", taken); err != nil {
		return err
	}
	// Ended in good order, the second one lets go of the lock.
	if err := candidates[second].Process.Signal(os.Interrupt); err != nil {
		return err
	}
	if err := candidates[second].Wait(); err != nil {
		return err
	}
	left, _ := holder()
	return expect(left == "", "%q still leads", left)
}

// stand is a candidate's process: it leads until it is told to end.
func stand(namespace, name string) {
	ctx, cancel := context.WithCancel(context.Background())
	client := kubernetes.NewForConfigOrDie(loadConfig())
	lock := &resourcelock.LeaseLock{
		LeaseMeta:  metav1.ObjectMeta{Namespace: namespace, Name: "lock"},
		Client:     client.CoordinationV1(),
		LockConfig: resourcelock.ResourceLockConfig{Identity: name},
	}
	go waitForInterrupt(cancel)
	leaderelection.RunOrDie(ctx, leaderelection.LeaderElectionConfig{
		Lock: lock, LeaseDuration: 3 * time.Second, RenewDeadline: 2 * time.Second, RetryPeriod: 200 * time.Millisecond,
		ReleaseOnCancel: true,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(leading context.Context) { <-leading.Done() },
			OnStoppedLeading: func() {},
		},
	})
}

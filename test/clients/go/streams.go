package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/client-go/transport/spdy"
	"k8s.io/client-go/util/exec"
)

// checkStreams needs a running pod with a shell and a web server: POD is NAMESPACE/NAME, POD_PORT its port.
func checkStreams(ctx context.Context, s *scene) error {
	namespace, name, isNamed := strings.Cut(os.Getenv("POD"), "/")
	if !isNamed {
		return fmt.Errorf("POD is not NAMESPACE/NAME")
	}
	config := jsonConfig(s.config)
	address := func(subresource string, options *corev1.PodExecOptions) *url.URL {
		request := s.client.CoreV1().RESTClient().Post().Resource("pods").Namespace(namespace).Name(name).SubResource(subresource)
		if options != nil {
			request = request.VersionedParams(options, scheme.ParameterCodec)
		}
		return request.URL()
	}
	command := &corev1.PodExecOptions{Command: []string{"sh", "-c", "cat; echo complaint >&2; exit 7"}, Stdin: true, Stdout: true, Stderr: true}
	overWebSocket, err := remotecommand.NewWebSocketExecutor(config, "GET", address("exec", command).String())
	if err != nil {
		return err
	}
	overSPDY, err := remotecommand.NewSPDYExecutor(config, "POST", address("exec", command))
	if err != nil {
		return err
	}
	for kind, executor := range map[string]remotecommand.Executor{"WebSocket": overWebSocket, "SPDY": overSPDY} {
		var stdout, stderr bytes.Buffer
		streams := remotecommand.StreamOptions{Stdin: strings.NewReader(strings.Repeat("line\n", 50_000)), Stdout: &stdout, Stderr: &stderr}
		err := executor.StreamWithContext(ctx, streams)
		code, is := err.(exec.CodeExitError)
		if err := expect(is && code.Code == 7 && stdout.Len() == 250_000 && stderr.String() == "complaint\n", "%s: %v, %d bytes, %q", kind, err, stdout.Len(), stderr.String()); err != nil {
			return err
		}
	}
	tunnel, err := portforward.NewSPDYOverWebsocketDialer(address("portforward", nil), config)
	if err != nil {
		return err
	}
	transport, upgrader, err := spdy.RoundTripperFor(config)
	if err != nil {
		return err
	}
	plain := spdy.NewDialer(upgrader, &http.Client{Transport: transport}, http.MethodPost, address("portforward", nil))
	if err := fetchThrough(ctx, portforward.NewFallbackDialer(tunnel, plain, func(error) bool { return false })); err != nil {
		return fmt.Errorf("port-forward over WebSocket: %w", err)
	}
	if err := fetchThrough(ctx, plain); err != nil {
		return fmt.Errorf("port-forward over SPDY: %w", err)
	}
	log, err := s.client.CoreV1().Pods(namespace).GetLogs(name, &corev1.PodLogOptions{}).DoRaw(ctx)
	if err != nil {
		return err
	}
	return expect(len(log) >= 0, "no log")
}

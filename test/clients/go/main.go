// Command clients does with client-go what controllers and tools do, and ends with an error where an API server answers
// otherwise than they rely on. `clients CHECK…` runs the named checks with the cluster of KUBECONFIG.
package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

const limit = 60 * time.Second

// A scene is where a check plays: a namespace of its own.
type scene struct {
	config    *rest.Config
	client    *kubernetes.Clientset
	namespace string
}

var checks = map[string]func(context.Context, *scene) error{
	"informers": checkInformers,
	"election":  checkElection,
	"apply":     checkApply,
	"reads":     checkReads,
	"writes":    checkWrites,
	"streams":   checkStreams,
}

func main() {
	if len(os.Args) == 4 && os.Args[1] == "candidate" {
		stand(os.Args[2], os.Args[3])
		return
	}
	for _, name := range os.Args[1:] {
		check, known := checks[name]
		if !known {
			fail("no check %q", name)
		}
		if err := run(name, check); err != nil {
			fail("%s: %v", name, err)
		}
		fmt.Println("passed:", name)
	}
}

func run(name string, check func(context.Context, *scene) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	config := loadConfig()
	client := kubernetes.NewForConfigOrDie(config)
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "go-" + name + "-"}}
	created, err := client.CoreV1().Namespaces().Create(ctx, namespace, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	return check(ctx, &scene{config: config, client: client, namespace: created.Name})
}

// loadConfig speaks protobuf, as upstream's components do.
func loadConfig() *rest.Config {
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	if err != nil {
		fail("%v", err)
	}
	config.ContentType = "application/vnd.kubernetes.protobuf"
	config.AcceptContentTypes = "application/vnd.kubernetes.protobuf,application/json"
	config.QPS, config.Burst = 1000, 1000
	return config
}

func jsonConfig(config *rest.Config) *rest.Config {
	plain := rest.CopyConfig(config)
	plain.ContentType, plain.AcceptContentTypes = "", ""
	return plain
}

// restartServer asks who started this program to kill the API server and to start it again.
func restartServer() error {
	fmt.Println("RESTART")
	answer, err := bufio.NewReader(os.Stdin).ReadString('\n')
	if err != nil {
		return fmt.Errorf("nobody restarted the API server: %w", err)
	}
	if answer != "restarted\n" {
		return fmt.Errorf("unexpected answer %q", answer)
	}
	return nil
}

func eventually(ctx context.Context, what string, check func() (bool, error)) error {
	for {
		done, err := check()
		if done {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("never so: %s (last: %v)", what, err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func expect(is bool, format string, args ...any) error {
	if is {
		return nil
	}
	return fmt.Errorf("unexpected: "+format, args...)
}

func fail(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
	os.Exit(1)
}

// Does with the fabric8 client what operators in Java do, and ends with an error where an API server answers otherwise than
// they rely on. `java -cp … Clients.java CHECK…` runs the named checks with the cluster of KUBECONFIG.

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.DeploymentBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.ExecWatch;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.fabric8.kubernetes.client.extended.leaderelection.LeaderCallbacks;
import io.fabric8.kubernetes.client.extended.leaderelection.LeaderElectionConfigBuilder;
import io.fabric8.kubernetes.client.extended.leaderelection.resourcelock.LeaseLock;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

public class Clients {
  static final Duration LIMIT = Duration.ofSeconds(60);

  public static void main(String[] names) throws Exception {
    try (KubernetesClient client = new KubernetesClientBuilder().build()) {
      for (String name : names) {
        var namespace = new NamespaceBuilder().withNewMetadata().withGenerateName("java-" + name + "-").endMetadata().build();
        String created = client.resource(namespace).create().getMetadata().getName();
        run(name, client, created);
        System.out.println("passed: " + name);
      }
    } catch (Throwable failure) {
      failure.printStackTrace();
      System.exit(1);
    }
    System.exit(0);
  }

  static void run(String name, KubernetesClient client, String namespace) throws Exception {
    switch (name) {
      case "informers" -> checkInformers(client, namespace);
      case "apply" -> checkApply(client, namespace);
      case "reads" -> checkReads(client, namespace);
      case "election" -> checkElection(client, namespace);
      case "streams" -> checkStreams(client);
      default -> throw new IllegalArgumentException("no check " + name);
    }
  }

  /** An informer sees each change once, also those around a crash of the API server. */
  static void checkInformers(KubernetesClient client, String namespace) throws Exception {
    for (int i = 0; i < 3; i++) client.resource(configMap(namespace, "before-" + i)).create();
    ConcurrentLinkedQueue<String> told = new ConcurrentLinkedQueue<>();
    SharedIndexInformer<ConfigMap> informer = client.configMaps().inNamespace(namespace).inform(new ResourceEventHandler<>() {
      public void onAdd(ConfigMap object) {
        told.add("added " + object.getMetadata().getName());
      }

      public void onUpdate(ConfigMap old, ConfigMap object) {
        if (!old.getMetadata().getResourceVersion().equals(object.getMetadata().getResourceVersion()))
          told.add("updated " + object.getMetadata().getName());
      }

      public void onDelete(ConfigMap object, boolean isFinalStateUnknown) {
        told.add("deleted " + object.getMetadata().getName());
      }
    });
    eventually("three objects", () -> informer.getStore().list().size() == 3);
    System.out.println("RESTART");
    String answer = new BufferedReader(new InputStreamReader(System.in)).readLine();
    expect("restarted".equals(answer), "nobody restarted the API server");
    client.resource(configMap(namespace, "after")).create();
    client.configMaps().inNamespace(namespace).withName("before-1").edit(object -> {
      object.setData(Map.of("changed", "yes"));
      return object;
    });
    client.configMaps().inNamespace(namespace).withName("before-2").delete();
    for (String line : List.of("added before-0", "added after", "updated before-1", "deleted before-2"))
      eventually(line + " once in " + told, () -> Collections.frequency(told, line) == 1);
    expect(informer.isWatching() && informer.getStore().list().size() == 3, "store " + informer.getStore().listKeys());
    informer.close();
  }

  /** Server-side apply with its conflicts, the kinds of patches, scale, and edits that meet each other. */
  static void checkApply(KubernetesClient client, String namespace) {
    Deployment wanted = deployment(namespace, 2);
    var one = new PatchContext.Builder().withPatchType(PatchType.SERVER_SIDE_APPLY).withFieldManager("one").build();
    var two = new PatchContext.Builder().withPatchType(PatchType.SERVER_SIDE_APPLY).withFieldManager("two").build();
    var forced = new PatchContext.Builder().withPatchType(PatchType.SERVER_SIDE_APPLY).withFieldManager("two").withForce(true).build();
    expect(client.resource(wanted).patch(one).getSpec().getReplicas() == 2, "created by apply");
    KubernetesClientException refused = refusal(() -> client.resource(deployment(namespace, 4)).patch(two));
    expect(refused.getCode() == 409 && refused.getStatus().getMessage().contains("conflict with \"one\": .spec.replicas"), refused.getMessage());
    expect(client.resource(deployment(namespace, 4)).patch(forced).getSpec().getReplicas() == 4, "forced");
    expect(client.resource(deployment(namespace, 4)).serverSideApply().getSpec().getReplicas() == 4, "as fabric8");
    var web = client.apps().deployments().inNamespace(namespace).withName("web");
    expect(web.scale(1).getSpec().getReplicas() == 1, "scaled");
    web.edit(object -> new DeploymentBuilder(object).editMetadata().addToLabels("edited", "yes").endMetadata().build());
    web.patch(PatchContext.of(PatchType.STRATEGIC_MERGE), "{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"c:2\"}]}}}}");
    web.patch(PatchContext.of(PatchType.JSON_MERGE), "{\"metadata\":{\"labels\":{\"merged\":\"yes\"}}}");
    web.patch(PatchContext.of(PatchType.JSON), "[{\"op\":\"add\",\"path\":\"/metadata/labels/patched\",\"value\":\"yes\"}]");
    var labels = web.get().getMetadata().getLabels();
    expect(labels.keySet().containsAll(List.of("edited", "merged", "patched")), labels.toString());
    expect(web.get().getSpec().getTemplate().getSpec().getContainers().get(0).getImage().equals("c:2"), "strategic");
  }

  static void checkReads(KubernetesClient client, String namespace) {
    for (int i = 0; i < 12; i++) client.resource(configMap(namespace, "n-" + i)).create();
    var all = client.configMaps().inNamespace(namespace);
    var page = all.list(new io.fabric8.kubernetes.api.model.ListOptionsBuilder().withLimit(5L).build());
    int pages = 1, items = page.getItems().size();
    while (page.getMetadata().getContinue() != null && !page.getMetadata().getContinue().isEmpty()) {
      var next = new io.fabric8.kubernetes.api.model.ListOptionsBuilder().withLimit(5L).withContinue(page.getMetadata().getContinue()).build();
      page = all.list(next);
      pages++;
      items += page.getItems().size();
    }
    expect(pages == 3 && items == 12, pages + " pages, " + items + " items");
    expect(all.withField("metadata.name", "n-3").list().getItems().size() == 1, "field selector");
    expect("37".equals(client.getKubernetesVersion().getMinor()), "version " + client.getKubernetesVersion());
    expect(client.hasApiGroup("apps", true) && client.supports("apps/v1", "Deployment"), "discovery");
    var generic = client.genericKubernetesResources("v1", "ConfigMap").inNamespace(namespace).withName("n-1").get();
    expect(generic.getMetadata().getUid() != null, "generic resources");
    expect(all.withName("none").get() == null, "what is not there");
    KubernetesClientException twice = refusal(() -> client.resource(configMap(namespace, "n-1")).create());
    expect(twice.getCode() == 409 && "AlreadyExists".equals(twice.getStatus().getReason()), twice.getMessage());
    all.delete();
    eventually("all are gone", () -> all.list().getItems().isEmpty());
  }

  /** The second candidate leads when the first has let go. */
  static void checkElection(KubernetesClient client, String namespace) throws Exception {
    ConcurrentLinkedQueue<String> led = new ConcurrentLinkedQueue<>();
    CompletableFuture<?> first = stand(client, namespace, "one", led);
    eventually("one leads", () -> List.copyOf(led).equals(List.of("one")));
    CompletableFuture<?> second = stand(client, namespace, "two", led);
    first.cancel(true);
    eventually("two leads", () -> List.copyOf(led).equals(List.of("one", "two")));
    var lease = client.leases().inNamespace(namespace).withName("lock").get();
    expect("two".equals(lease.getSpec().getHolderIdentity()), lease.getSpec().toString());
    second.cancel(true);
  }

  static CompletableFuture<?> stand(KubernetesClient client, String namespace, String name, ConcurrentLinkedQueue<String> led) {
    var config = new LeaderElectionConfigBuilder()
        .withName(name)
        .withLock(new LeaseLock(namespace, "lock", name))
        .withLeaseDuration(Duration.ofSeconds(3))
        .withRenewDeadline(Duration.ofSeconds(2))
        .withRetryPeriod(Duration.ofMillis(300))
        .withReleaseOnCancel(true)
        .withLeaderCallbacks(new LeaderCallbacks(() -> led.add(name), () -> {}, leader -> {}))
        .build();
    return client.leaderElector().withConfig(config).build().start();
  }

  /** exec and port-forward over WebSocket into the pod that POD names. */
  static void checkStreams(KubernetesClient client) throws Exception {
    String[] pod = System.getenv("POD").split("/");
    var target = client.pods().inNamespace(pod[0]).withName(pod[1]);
    var stdout = new ByteArrayOutputStream();
    var stderr = new ByteArrayOutputStream();
    try (ExecWatch exec = target.redirectingInput().writingOutput(stdout).writingError(stderr).exec("sh", "-c", "read line; echo got $line; echo complaint >&2; exit 7")) {
      exec.getInput().write("words\n".getBytes());
      exec.getInput().flush();
      expect(exec.exitCode().get(20, TimeUnit.SECONDS) == 7, "exit code");
    }
    expect(stdout.toString().equals("got words\n") && stderr.toString().equals("complaint\n"), stdout + " " + stderr);
    try (var forward = target.portForward(Integer.parseInt(System.getenv("POD_PORT")))) {
      var request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + forward.getLocalPort() + "/")).timeout(Duration.ofSeconds(20)).build();
      var answer = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build().send(request, HttpResponse.BodyHandlers.ofString());
      expect(answer.statusCode() == 200, "forwarded: " + answer);
    }
    expect(target.getLog() != null, "log");
  }

  static ConfigMap configMap(String namespace, String name) {
    return new ConfigMapBuilder().withNewMetadata().withName(name).withNamespace(namespace).endMetadata().build();
  }

  static Deployment deployment(String namespace, int replicas) {
    return new DeploymentBuilder()
        .withNewMetadata().withName("web").withNamespace(namespace).endMetadata()
        .withNewSpec().withReplicas(replicas)
        .withNewSelector().addToMatchLabels("app", "web").endSelector()
        .withNewTemplate()
        .withNewMetadata().addToLabels("app", "web").endMetadata()
        .withNewSpec().addNewContainer().withName("c").withImage("c:1").endContainer().endSpec()
        .endTemplate().endSpec().build();
  }

  static KubernetesClientException refusal(Runnable what) {
    try {
      what.run();
    } catch (KubernetesClientException refused) {
      return refused;
    }
    throw new AssertionError("it was not refused");
  }

  static void expect(boolean isSo, String what) {
    if (!isSo) throw new AssertionError("unexpected: " + what);
  }

  static void eventually(String what, BooleanSupplier isSo) {
    long endsAt = System.nanoTime() + LIMIT.toNanos();
    while (!isSo.getAsBoolean()) {
      if (System.nanoTime() > endsAt) throw new AssertionError("never so: " + what);
      try {
        Thread.sleep(50);
      } catch (InterruptedException interrupted) {
        throw new AssertionError(interrupted);
      }
    }
  }
}

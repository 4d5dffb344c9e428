"""Does with the official Python client what operators and scripts do, and ends with an error where an API server answers
otherwise than they rely on. `clients.py CHECK...` runs the named checks with the cluster of KUBECONFIG."""

import os
import sys
import threading
import time

from kubernetes import client, config, dynamic, watch
from kubernetes.client.rest import ApiException
from kubernetes.leaderelection import electionconfig, leaderelection
from kubernetes.stream import portforward, stream

LIMIT_S = 60


def expect(is_so, *what):
    if not is_so:
        raise AssertionError(f"unexpected: {what}")


def eventually(what, check):
    ends_at = time.monotonic() + LIMIT_S
    while time.monotonic() < ends_at:
        if check():
            return
        time.sleep(0.05)
    raise AssertionError(f"never so: {what}")


def restart_server():
    """Asks who started this program to kill the API server and to start it again."""
    print("RESTART", flush=True)
    expect(sys.stdin.readline() == "restarted\n", "nobody restarted the API server")


def config_map(name, **data):
    return client.V1ConfigMap(metadata=client.V1ObjectMeta(name=name), data=data or None)


class Reflector:
    """Lists, then watches from there on, through ends of the connection and versions that are too old."""

    def __init__(self, core, namespace):
        self.core, self.namespace = core, namespace
        self.version, self.store, self.told, self.lists = None, {}, [], 0
        self.is_over = False
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while not self.is_over:
            try:
                self.version = self.version or self.list()
                self.watch()
            except ApiException as error:
                if error.status != 410:
                    raise
                self.version = None
            except OSError:
                time.sleep(0.1)
            except Exception as error:  # urllib3 has many names for a lost connection.
                if type(error).__module__.split(".")[0] != "urllib3":
                    raise
                time.sleep(0.1)

    def list(self):
        listed = self.core.list_namespaced_config_map(self.namespace)
        self.lists += 1
        self.store = {item.metadata.name: item for item in listed.items}
        return listed.metadata.resource_version

    def watch(self):
        watcher = watch.Watch()
        arguments = {"namespace": self.namespace, "resource_version": self.version, "allow_watch_bookmarks": True, "timeout_seconds": 5}
        for event in watcher.stream(self.core.list_namespaced_config_map, **arguments):
            self.version = watcher.resource_version
            if event["type"] == "BOOKMARK":
                continue
            name = event["object"].metadata.name
            self.told.append(f"{event['type']} {name}")
            if event["type"] == "DELETED":
                self.store.pop(name, None)
            else:
                self.store[name] = event["object"]


def check_watch(core, namespace):
    """A reflector sees each change, also those around a crash of the API server."""
    for number in range(3):
        core.create_namespaced_config_map(namespace, config_map(f"before-{number}"))
    reflector = Reflector(core, namespace)
    eventually("the list", lambda: len([n for n in reflector.store if n.startswith("before")]) == 3)
    core.create_namespaced_config_map(namespace, config_map("during"))
    eventually("during", lambda: "ADDED during" in reflector.told)
    restart_server()
    core.create_namespaced_config_map(namespace, config_map("after"))
    core.patch_namespaced_config_map("before-1", namespace, {"data": {"a": "b"}})
    core.delete_namespaced_config_map("before-2", namespace)
    eventually("after", lambda: "after" in reflector.store and "before-2" not in reflector.store)
    eventually("changed", lambda: (reflector.store["before-1"].data or {}).get("a") == "b")
    expect(reflector.told.count("ADDED during") == 1, reflector.told)
    time.sleep(6)  # Longer than one watch: the next goes on where it was, without a list.
    lists = reflector.lists
    core.create_namespaced_config_map(namespace, config_map("later"))
    eventually("later", lambda: "ADDED later" in reflector.told)
    expect(reflector.lists == lists, "listed again", reflector.lists)
    reflector.is_over = True


def check_apply(core, namespace):
    """Server-side apply through the dynamic client, conflicts, and the patches of the typed one."""
    objects = dynamic.DynamicClient(client.ApiClient()).resources.get(api_version="v1", kind="ConfigMap")
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "applied", "namespace": namespace}, "data": {"a": "1"}}
    objects.server_side_apply(body=body, namespace=namespace, field_manager="one")
    body["data"] = {"a": "2", "b": "1"}
    try:
        objects.server_side_apply(body=body, namespace=namespace, field_manager="two")
        expect(False, "no conflict")
    except ApiException as error:
        expect(error.status == 409 and 'conflict with \\"one\\": .data.a' in error.body, error.body)
    forced = objects.server_side_apply(body=body, namespace=namespace, field_manager="two", force_conflicts=True)
    managers = {entry.manager: entry.fieldsV1.to_dict() for entry in forced.metadata.managedFields}
    expect(managers == {"two": {"f:data": {"f:a": {}, "f:b": {}}}}, managers)
    patched = core.patch_namespaced_config_map("applied", namespace, [{"op": "remove", "path": "/data/b"}])
    expect(patched.data == {"a": "2"}, patched.data)
    scaled = client.AppsV1Api()
    selector = {"matchLabels": {"app": "web"}}
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    scaled.create_namespaced_deployment(namespace, {"metadata": {"name": "web"}, "spec": {"selector": selector, "template": template}})
    scale = scaled.patch_namespaced_deployment_scale("web", namespace, {"spec": {"replicas": 3}})
    expect(scale.spec.replicas == 3, scale)


def check_reads(core, namespace):
    """Pages, selectors, discovery, logs of what is not there, and words of refusals."""
    for number in range(12):
        labels = {"parity": "odd" if number % 2 else "even"}
        core.create_namespaced_config_map(namespace, client.V1ConfigMap(metadata=client.V1ObjectMeta(name=f"n{number}", labels=labels)))
    names, pages, token = [], 0, None
    while pages == 0 or token:
        page = core.list_namespaced_config_map(namespace, limit=5, _continue=token, label_selector="parity")
        names += [item.metadata.name for item in page.items]
        pages, token = pages + 1, page.metadata._continue
    expect(pages == 3 and len(set(names)) == 12, pages, names)
    odd = core.list_namespaced_config_map(namespace, label_selector="parity in (odd),parity!=even", field_selector="metadata.name!=n1")
    expect(len(odd.items) == 5, odd)
    resources = dynamic.DynamicClient(client.ApiClient()).resources
    expect(resources.get(api_version="apps/v1", kind="Deployment").name == "deployments", "discovery")
    expect(client.VersionApi().get_code().minor == "37", client.VersionApi().get_code())
    try:
        core.read_namespaced_pod("none", namespace)
        expect(False, "found")
    except ApiException as error:
        expect(error.status == 404 and 'pods \\"none\\" not found' in error.body, error.body)
    review = client.V1SelfSubjectAccessReview(spec={"resourceAttributes": {"verb": "delete", "resource": "pods", "namespace": namespace}})
    expect(client.AuthorizationV1Api().create_self_subject_access_review(review).status.allowed, "access")
    deleted = core.delete_collection_namespaced_config_map(namespace, label_selector="parity=even")
    expect(len(core.list_namespaced_config_map(namespace, label_selector="parity").items) == 6, deleted)


def check_election(_core, namespace):
    """Two candidates: the second leads when the first has stopped renewing."""
    led = []
    stopped = threading.Event()

    def stand(name):
        from kubernetes.leaderelection.resourcelock.leaselock import LeaseLock

        def lead():
            led.append(name)

        settings = electionconfig.Config(
            LeaseLock("lock", namespace, name), lease_duration=5, renew_deadline=3, retry_period=1.1, onstarted_leading=lead, onstopped_leading=lambda: None
        )
        leaderelection.LeaderElection(settings).run()
        stopped.set()

    threading.Thread(target=stand, args=("one",), daemon=True).start()
    eventually("one leads", lambda: led == ["one"])
    lease = client.CoordinationV1Api().read_namespaced_lease("lock", namespace)
    expect(lease.spec.holder_identity == "one", lease)
    # Somebody else takes the lock: the first one notices and gives up.
    lease.spec.holder_identity = "other"
    client.CoordinationV1Api().replace_namespaced_lease("lock", namespace, lease)
    eventually("one has stopped", stopped.is_set)
    threading.Thread(target=stand, args=("two",), daemon=True).start()
    eventually("two leads", lambda: led == ["one", "two"])


def check_streams(core, _namespace):
    """exec and port-forward over WebSocket into the pod that POD names."""
    namespace, name = os.environ["POD"].split("/")
    command = ["sh", "-c", "read line; echo got $line; echo complaint >&2; exit 7"]
    running = stream(
        core.connect_get_namespaced_pod_exec, name, namespace, command=command, stdin=True, stdout=True, stderr=True, tty=False, _preload_content=False
    )
    running.write_stdin("words\n")
    running.run_forever(timeout=20)
    expect(running.read_stdout() == "got words\n", "stdout")
    expect(running.read_stderr() == "complaint\n", "stderr")
    expect(running.returncode == 7, running.returncode)
    port = int(os.environ["POD_PORT"])
    forwarded = portforward(core.connect_get_namespaced_pod_portforward, name, namespace, ports=str(port))
    socket = forwarded.socket(port)
    socket.setblocking(True)
    socket.sendall(b"GET / HTTP/1.0\r\n\r\n")
    answer = b""
    while chunk := socket.recv(4096):
        answer += chunk
    expect(answer.startswith(b"HTTP/1.") and b" 200 " in answer.split(b"\r\n")[0], answer)
    expect(isinstance(core.read_namespaced_pod_log(name, namespace), str), "log")


CHECKS = {
    "watch": check_watch,
    "apply": check_apply,
    "reads": check_reads,
    "election": check_election,
    "streams": check_streams,
}


def main():
    config.load_kube_config()
    core = client.CoreV1Api()
    for name in sys.argv[1:]:
        metadata = client.V1ObjectMeta(generate_name=f"python-{name}-")
        namespace = core.create_namespace(client.V1Namespace(metadata=metadata)).metadata.name
        CHECKS[name](core, namespace)
        print(f"passed: {name}", flush=True)


main()

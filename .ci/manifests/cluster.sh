#!/usr/bin/env bash
# cluster.sh [FOLDER]: tries the Kubernetes manifests of an export on a real API server with its controllers, on loopback.
# There is no kubelet, so no pod runs: it shows that the API takes every object, that each StatefulSet makes exactly one
# pod, and that Pod Security "restricted" lets it in. FOLDER is an export; without one, that of the tests.
#
# Needs Go, curl, openssl and etcd (Debian: etcd-server). The first run builds Kubernetes, about six minutes on two
# cores, and keeps the programs in the user's cache. It ends what it started.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$(cd "${1:-$here/../../internal/export/testdata/kubernetes}" && pwd)
release=33.13
bin=${XDG_CACHE_HOME:-$HOME/.cache}/flwrup-ci/kubernetes-1.$release
work=$(mktemp -d)
pids=()
finish() {
  status=$?
  [ "${#pids[@]}" = 0 ] || kill "${pids[@]}" 2>/dev/null || true
  [ "${#pids[@]}" = 0 ] || wait "${pids[@]}" 2>/dev/null || true
  [ "$status" = 0 ] || tail -n 5 "$work"/*.log >&2 || true
  rm -rf "$work"
  exit "$status"
}
trap finish EXIT
fail() { echo "FAILED: $*" >&2; exit 1; }
# until_true COMMAND...: tries it for 30 seconds.
until_true() { for _ in $(seq 60); do "$@" >/dev/null 2>&1 && return; sleep 0.5; done; fail "for 30 seconds: $*"; }
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

if [ ! -x "$bin/kube-controller-manager" ]; then
  # Kubernetes' go.mod names its own parts by folder; they are published as modules of the same release.
  mkdir "$work/build"
  cd "$work/build"
  source=$(go mod download -json "k8s.io/kubernetes@v1.$release" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
  sed -E "s|^module .*|module kubernetes|; s|(k8s.io/[a-z-]+) => ./staging/src/.*|\1 => \1 v0.$release|" "$source/go.mod" >go.mod
  echo "require k8s.io/kubernetes v1.$release" >>go.mod
  cat "$source/go.sum" >go.sum
  mkdir -p "$bin"
  GOFLAGS=-mod=mod go build -p 2 -o "$bin/" k8s.io/kubernetes/cmd/{kube-apiserver,kubectl,kube-controller-manager}
fi

cd "$work"
store=http://127.0.0.1:$(free_port) peers=http://127.0.0.1:$(free_port) api=$(free_port) controllers=$(free_port)
openssl genrsa -out sa.key 2048 2>/dev/null
token=$(openssl rand -hex 16)
(umask 077 && echo "$token,admin,admin,system:masters" >tokens.csv)
etcd --data-dir etcd --listen-client-urls "$store" --advertise-client-urls "$store" \
  --listen-peer-urls "$peers" --initial-advertise-peer-urls "$peers" --initial-cluster "default=$peers" >etcd.log 2>&1 &
pids+=($!)
"$bin/kube-apiserver" --etcd-servers "$store" --bind-address 127.0.0.1 --advertise-address 127.0.0.1 --secure-port "$api" \
  --endpoint-reconciler-type none --cert-dir certs --service-cluster-ip-range 10.96.0.0/16 --authorization-mode RBAC \
  --service-account-issuer https://kubernetes.default.svc --service-account-key-file sa.key --service-account-signing-key-file sa.key \
  --token-auth-file tokens.csv >api.log 2>&1 &
pids+=($!)
until_true curl -sfk -H "Authorization: Bearer $token" "https://127.0.0.1:$api/readyz"
kubectl() { "$bin/kubectl" --kubeconfig "$work/kubeconfig" "$@"; }
{
  kubectl config set-cluster here --server "https://127.0.0.1:$api" --certificate-authority certs/apiserver.crt --embed-certs
  kubectl config set-credentials admin --token "$token"
  kubectl config set-context here --cluster here --user admin
  kubectl config use-context here
} >/dev/null
"$bin/kube-controller-manager" --kubeconfig kubeconfig --bind-address 127.0.0.1 --secure-port "$controllers" --cert-dir certs-cm \
  --leader-elect=false --service-account-private-key-file sa.key --controllers statefulset,serviceaccount,namespace,garbagecollector \
  >controllers.log 2>&1 &
pids+=($!)

cp -r "$folder" manifests
cd manifests
space=$(sed -n 's/^namespace: //p' kustomization.yaml)
sets=(supernode-*.yaml)
one=${sets[0]}
name=$(sed -n 's/^  name: //p' "$one" | head -n 1)
pods() { kubectl -n "$space" get pods -o jsonpath='{range .items[*]}{.metadata.name}{"\n"}{end}'; }
uid() { kubectl -n "$space" get pod "$name-0" -o jsonpath='{.metadata.uid}'; }
each_has_one_pod() { [ "$(pods | wc -l)" = "${#sets[@]}" ] && [ -z "$(pods | sed 's/-0$//' | sort | uniq -d)" ]; }
replaced() { now=$(uid) && [ -n "$now" ] && [ "$now" != "$1" ]; }

kubectl apply -f namespace.yaml
said=$(kubectl apply --dry-run=server -k . 2>&1) || fail "$said"
echo "$said"
! grep -i warning <<<"$said" || fail "the API server warns"
cp "$one" "$work/kept"
sed -i 's/readOnlyRootFilesystem/readOnlyRootFileSystem/' "$one"
! refusal=$(kubectl apply --dry-run=server -k . 2>&1) && grep -q 'unknown field.*readOnlyRootFileSystem' <<<"$refusal" || fail "a misspelt field is taken"
cp "$work/kept" "$one"
echo "ok: every object is taken, and a misspelt field is refused"

kubectl apply -k . >/dev/null
until_true each_has_one_pod
sleep 2
each_has_one_pod || fail "a StatefulSet made more than one pod"
echo "ok: ${#sets[@]} StatefulSets, one pod each, let in by Pod Security: $(pods | tr '\n' ' ')"

before=$(uid)
sed -i 's/memory: [0-9]*Mi/memory: 777Mi/' "$one"
kubectl apply -k . >/dev/null
until_true replaced "$before"
echo "ok: a change replaces a pod that has not started"

sed -i 's/runAsNonRoot: true/runAsNonRoot: false/' "$one"
kubectl apply -k . 2>/dev/null >/dev/null
forbidden() { kubectl -n "$space" get events | grep -q "$name-0.*forbidden: violates PodSecurity"; }
until_true forbidden
cp "$work/kept" "$one"
kubectl apply -k . >/dev/null
until_true each_has_one_pod
echo "ok: a pod with more rights is refused, and the export's own comes back"

kubectl -n "$space" scale statefulset --all --replicas=0 >/dev/null
none() { [ -z "$(pods)" ]; }
until_true none
kubectl delete -k . >/dev/null
gone() { ! kubectl get namespace "$space"; }
until_true gone
echo "ok: scaled to none, then deleted: nothing is left"

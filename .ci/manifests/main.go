// Command manifests checks the Kubernetes manifests of an export, whose folder is its argument: kustomize renders them,
// the API's own types take every field, and Pod Security "restricted" allows every pod. It is a module of its own, so
// that flwrup does not depend on Kubernetes.
package main

import (
	"errors"
	"fmt"
	"os"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	"sigs.k8s.io/json"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: manifests FOLDER")
		os.Exit(2)
	}
	n, err := check(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("%d objects, all of them known and restricted\n", n)
}

func check(dir string) (objects int, err error) {
	rendered, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), dir)
	if err != nil {
		return 0, err
	}
	restricted, err := policy.NewEvaluator(policy.DefaultChecks())
	if err != nil {
		return 0, err
	}
	pods := 0
	for _, r := range rendered.Resources() {
		text, err := r.MarshalJSON()
		if err != nil {
			return 0, err
		}
		var into any
		switch r.GetKind() {
		case "Namespace":
			into = &corev1.Namespace{}
		case "ConfigMap":
			into = &corev1.ConfigMap{}
		case "Service":
			into = &corev1.Service{}
		case "NetworkPolicy":
			into = &networkingv1.NetworkPolicy{}
		case "StatefulSet":
			into = &appsv1.StatefulSet{}
		default:
			return 0, fmt.Errorf("%s %s is no kind that an export has", r.GetKind(), r.GetName())
		}
		strict, err := json.UnmarshalStrict(text, into) // as an API server reads: case counts
		if err := errors.Join(append(strict, err)...); err != nil {
			return 0, fmt.Errorf("%s %s: %w", r.GetKind(), r.GetName(), err)
		}
		set, is := into.(*appsv1.StatefulSet)
		if !is {
			continue
		}
		pods++
		if set.Spec.Replicas == nil || *set.Spec.Replicas != 1 {
			return 0, fmt.Errorf("%s has not one replica", set.Name)
		}
		level := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
		for _, result := range restricted.EvaluatePod(level, &set.Spec.Template.ObjectMeta, &set.Spec.Template.Spec) {
			if !result.Allowed {
				return 0, fmt.Errorf("%s: %s: %s", set.Name, result.ForbiddenReason, result.ForbiddenDetail)
			}
		}
	}
	if pods == 0 {
		return 0, errors.New("no StatefulSet in " + dir)
	}
	return rendered.Size(), nil
}

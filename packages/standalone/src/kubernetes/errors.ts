import { defineErrors } from '@switchyard/kernel';

const byTheUser = { blame: 'user', retry: 'never', http: 500, grpc: 9, exit: 2 } as const;

/** What keeps an installation from a cluster that it has its workers or services in. */
export const clusterErrors = defineErrors({
  CLUSTER_CREDENTIALS_MISSING: {
    ...byTheUser,
    blame: 'dependency',
    retry: 'safe',
    exit: 1,
    message:
      'No credential for the cluster came from {source}, which the kubeconfig names: {reason}. Try it by hand, and log in anew.',
  },
  CLUSTER_FILE_UNREADABLE: {
    ...byTheUser,
    exit: 3,
    message: "'{path}', which says how to reach the cluster, cannot be read: {reason}.",
  },
  CLUSTER_NOT_INSIDE: {
    ...byTheUser,
    message:
      'This process does not run in a cluster, so nothing says which one --worker-kubernetes means. Name it with --kubeconfig.',
  },
  CLUSTER_UNREACHABLE: {
    ...byTheUser,
    blame: 'dependency',
    retry: 'safe',
    exit: 1,
    message:
      'The cluster at {server} does not answer: {reason}. Check its address, and the authority that has signed its certificate.',
  },
  KUBECONFIG_INVALID: {
    ...byTheUser,
    message:
      "The kubeconfig '{path}' does not say how to reach a cluster: {reason}. Its current context needs a server with https:// and a user with a token, a client certificate or a program that fetches one.",
  },
});

import { defineErrors } from '@switchyard/kernel';

/** What keeps an app from getting the launch that its settings ask for. */
export const restartErrors = defineErrors({
  RESTART_REFUSED: {
    blame: 'platform',
    retry: 'never',
    http: 502,
    grpc: 9,
    exit: 1,
    message:
      "App '{applicationId}' needs worker '{workerId}' started anew ({changed}), and its wrapper refused: {reason}. Assign the app to another placeholder, or take the settings 'languageWorkers__*' out of the app.",
  },
  RESTART_UNDER_WAY: {
    blame: 'platform',
    retry: { afterMs: 1_000 },
    http: 503,
    grpc: 14,
    exit: 1,
    message: "Worker '{workerId}' is being started anew; assign '{applicationId}' again in a moment.",
  },
  RESTART_VERSION_UNAVAILABLE: {
    blame: 'user',
    retry: 'never',
    http: 409,
    grpc: 9,
    exit: 1,
    message:
      "App '{applicationId}' asks for {language} {wanted}, and worker '{workerId}' runs {language} {present}. Assign it to a placeholder of that version, or change FUNCTIONS_WORKER_RUNTIME_VERSION.",
  },
});

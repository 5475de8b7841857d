/* A prefork server: the parent sets the client up and logs, its workers are forked with it and log
 * through the same handle. Each process has a queue, threads and keys of its own. */

#define _POSIX_C_SOURCE 200809L

#include <logflux.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef CLOSE_TIMEOUT_MS
#define CLOSE_TIMEOUT_MS 30000
#endif

enum { WORKERS = 4, REQUESTS = 25 };

static int work(logflux_client *client, int worker) {
  int request;
  for (request = 0; request < REQUESTS; request++) {
    logflux_client_logf(client, LOGFLUX_LEVEL_INFO, "worker %d request %d", worker, request);
  }
  /* _exit runs nothing more: what is not flushed would be lost. */
  return logflux_client_close(client, CLOSE_TIMEOUT_MS, NULL) == LOGFLUX_STATUS_OK ? 0 : 1;
}

int main(void) {
  logflux_config *config = NULL;
  logflux_client *client = NULL;
  logflux_client_stats stats;
  logflux_error *error = NULL;
  pid_t workers[WORKERS];
  int failed = 0;
  int i;

  if (logflux_config_from_env(&config, &error) != LOGFLUX_STATUS_OK ||
      logflux_client_new(config, &client, &error) != LOGFLUX_STATUS_OK) {
    fprintf(stderr, "%s\n", logflux_error_message(error));
    logflux_error_free(error);
    logflux_config_free(config);
    return EXIT_FAILURE;
  }
  logflux_config_free(config);
  logflux_client_log_cstr(client, LOGFLUX_LEVEL_NOTICE, "parent begins");

  for (i = 0; i < WORKERS; i++) {
    workers[i] = fork();
    if (workers[i] == 0) {
      _exit(work(client, i));
    }
    failed += workers[i] < 0;
  }
  for (i = 0; i < WORKERS; i++) {
    int status = 1;
    if (workers[i] > 0) {
      failed += waitpid(workers[i], &status, 0) < 0 || status != 0;
    }
  }

  logflux_client_log_cstr(client, LOGFLUX_LEVEL_NOTICE, "parent ends");
  failed += logflux_client_close(client, CLOSE_TIMEOUT_MS, NULL) != LOGFLUX_STATUS_OK;
  if (logflux_client_get_stats(client, &stats, sizeof stats, NULL) == LOGFLUX_STATUS_OK) {
    printf("%d workers; the parent delivered %" PRIu64 "\n", WORKERS, stats.delivered);
  }
  logflux_client_free(client);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Logs its arguments, or a line, and waits until they are delivered. LOGFLUX_SERVER_URL,
 * LOGFLUX_API_KEY and LOGFLUX_SECRET say where to, as whom and with which secret. */

#include <logflux.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static void dropped(void *context, const logflux_dropped *counts) {
  (void)context;
  fprintf(stderr, "%" PRIu64 " messages were dropped\n", counts->total);
}

static int fail(logflux_error *error) {
  fprintf(stderr, "%s\n", logflux_error_message(error));
  logflux_error_free(error);
  return EXIT_FAILURE;
}

int main(int argc, char **argv) {
  logflux_config *config = NULL;
  logflux_client *client = NULL;
  logflux_client_stats stats;
  logflux_error *error = NULL;
  int result = EXIT_SUCCESS;
  int i;

  if (logflux_config_from_env(&config, &error) != LOGFLUX_STATUS_OK) {
    return fail(error);
  }
  logflux_config_set_on_drop(config, dropped, NULL, NULL);
  if (logflux_client_new(config, &client, &error) != LOGFLUX_STATUS_OK) {
    logflux_config_free(config);
    return fail(error);
  }
  logflux_config_free(config);

  logflux_client_logf(client, LOGFLUX_LEVEL_NOTICE, "%s starts with %d arguments", argv[0], argc - 1);
  for (i = 1; i < argc; i++) {
    logflux_client_log_cstr(client, LOGFLUX_LEVEL_INFO, argv[i]);
  }

  /* Before the program ends: what takes longer than 5 s is dropped, or stays in a spool. */
  if (logflux_client_close(client, 5000, &error) != LOGFLUX_STATUS_OK) {
    result = fail(error);
  }
  if (logflux_client_get_stats(client, &stats, sizeof stats, NULL) == LOGFLUX_STATUS_OK) {
    printf("%" PRIu64 " of %" PRIu64 " delivered\n", stats.delivered, stats.accepted);
  }
  logflux_client_free(client);
  return result;
}

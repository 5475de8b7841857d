/* Logs the lines of its input, flushes for the milliseconds that are its argument, closes for as
 * long, and prints what both said: a status, and how many messages were dropped and are left. Then
 * how many were dropped by the statistics, and what a ticket from before the end says after it. */

#define _POSIX_C_SOURCE 200809L

#include "check.h"

#include <inttypes.h>

static logflux_client *client;

static void said(const char *what, logflux_status status, logflux_error *error) {
  printf("%s %d %" PRIu64 " %" PRIu64 "\n", what, (int)status, logflux_error_dropped(error),
         logflux_error_left(error));
  CHECK(logflux_error_status(error) == status);
  logflux_error_free(error);
}

/* A wait for itself would take an hour, and the test is over before that. */
static void noticed(void *context, const logflux_notice *notice) {
  logflux_flush_ticket *ticket = NULL;
  (void)context;
  CHECK(strlen(notice->sentence) == notice->sentence_length);
  fprintf(stderr, "%s\n", notice->sentence);
  (void)logflux_client_flush(client, 3600000, NULL);
  OK(logflux_client_flush_begin(client, &ticket, NULL));
  (void)logflux_flush_ticket_wait(ticket, 3600000, NULL);
  logflux_flush_ticket_free(ticket);
}

int main(int argc, char **argv) {
  const uint64_t timeout = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
  logflux_config *config = NULL;
  logflux_flush_ticket *ticket = NULL;
  logflux_client_stats stats;
  logflux_error *error = NULL;
  logflux_status status;
  char *line = NULL;
  size_t room = 0;
  ssize_t length;

  OK(logflux_config_from_env(&config, NULL));
  OK(logflux_config_set_mode(config, LOGFLUX_MODE_HKDF, NULL));
  OK(logflux_config_set_on_notice(config, noticed, NULL, NULL));
  OK(logflux_client_new(config, &client, NULL));
  logflux_config_free(config);
  while ((length = getline(&line, &room, stdin)) > 0) {
    (void)logflux_client_log(client, LOGFLUX_LEVEL_INFO, line, (size_t)length - 1);
  }
  free(line);
  OK(logflux_client_flush_begin(client, &ticket, NULL));
  status = logflux_client_flush(client, timeout, &error);
  said("flush", status, error);
  error = NULL;
  status = logflux_client_close(client, timeout, &error);
  said("close", status, error);
  OK(logflux_client_get_stats(client, &stats, sizeof stats, NULL));
  printf("dropped %" PRIu64 "\n", stats.dropped.total);
  logflux_client_free(client);
  CHECK(logflux_flush_ticket_is_done(ticket));
  error = NULL;
  status = logflux_flush_ticket_wait(ticket, timeout, &error);
  said("ticket", status, error);
  logflux_flush_ticket_free(ticket);
  return 0;
}

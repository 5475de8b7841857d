/* A client whose key is refused gets another one, another secret and another CA file while it runs.
 *
 * rotation KEY CA_FILE: LOGFLUX_API_KEY is a key that the server refuses, KEY one that it takes.
 * rotation: says why the environment has no secret. */

#include "check.h"

/* Waits until the server has refused the key. */
static void wait_for_refusal(const logflux_client *client) {
  logflux_buffer *failure = logflux_buffer_new();
  while (logflux_buffer_length(failure) == 0) {
    /* It waits meanwhile, and cannot succeed. */
    CHECK(logflux_client_flush(client, 10, NULL) != LOGFLUX_STATUS_OK);
    OK(logflux_client_last_failure(client, failure, NULL));
  }
  CHECK(strstr(logflux_buffer_data(failure), "replace the API key") != NULL);
  logflux_buffer_free(failure);
}

/* A call that must fail, with this status at this setting, and replace nothing. */
static void fails(logflux_status status, logflux_status expected, logflux_error *error,
                  const char *field) {
  CHECK(status == expected && error != NULL);
  CHECK(strcmp(logflux_error_field(error), field) == 0);
  logflux_error_free(error);
}

int main(int argc, char **argv) {
  logflux_config *config = NULL;
  logflux_client *client = NULL;
  logflux_secret *secret = NULL;
  logflux_error *error = NULL;
  logflux_client_stats stats;
  logflux_status status;
  if (argc == 1) {
    status = logflux_secret_from_env(&secret, &error);
    CHECK(status == LOGFLUX_STATUS_SECRET_UNAVAILABLE);
    puts(logflux_error_message(error));
    logflux_error_free(error);
    return 0;
  }
  CHECK(argc == 3);
  OK(logflux_config_from_env(&config, NULL));
  OK(logflux_client_new(config, &client, NULL));
  logflux_config_free(config);
  OK(logflux_client_log_cstr(client, LOGFLUX_LEVEL_INFO, "old"));
  wait_for_refusal(client);

  status = logflux_client_rotate_api_key_cstr(client, "hunter2", &error);
  fails(status, LOGFLUX_STATUS_INVALID_SETTING, error, "api_key");
  error = NULL;
  status = logflux_client_rotate_ca_file_cstr(client, "/no/such/file", &error);
  fails(status, LOGFLUX_STATUS_CA_FILE, error, "ca_file");
  error = NULL;
  status = logflux_client_rotate_secret(client, NULL, &error);
  fails(status, LOGFLUX_STATUS_NULL_ARGUMENT, error, "secret");
  CHECK(logflux_client_rotate_secret(NULL, NULL, NULL) == LOGFLUX_STATUS_NULL_ARGUMENT);

  OK(logflux_client_rotate_ca_file(client, argv[2], strlen(argv[2]), NULL));
  OK(logflux_client_rotate_ca_file_cstr(client, argv[2], NULL));
  OK(logflux_client_rotate_api_key(client, argv[1], strlen(argv[1]), NULL));
  OK(logflux_client_flush(client, 60000, NULL));
  OK(logflux_client_rotate_api_key_cstr(client, argv[1], NULL));
  OK(logflux_secret_new_cstr("a secret of another year", &secret, NULL));
  OK(logflux_client_rotate_secret(client, secret, NULL));
  logflux_secret_free(secret);
  OK(logflux_client_log_cstr(client, LOGFLUX_LEVEL_INFO, "new"));
  OK(logflux_client_close(client, 60000, NULL));
  OK(logflux_client_get_stats(client, &stats, sizeof stats, NULL));
  CHECK(stats.delivered == 2 && stats.dropped.total == 0);
  logflux_client_free(client);
  puts("rotated");
  return 0;
}

/* Eight threads on one client, one sealer and one opener. */

#include "check.h"

#include <pthread.h>

enum { THREADS = 8 };

/* How many lines each of them logs; 1,000, or the argument. */
static int lines = 1000;

static logflux_client *client;
static logflux_sealer *sealer;
static logflux_opener *opener;

static void *work(void *number) {
  logflux_buffer *entry = logflux_buffer_new();
  logflux_buffer *message = logflux_buffer_new();
  char line[64];
  int i;
  for (i = 0; i < lines; i++) {
    logflux_client_stats stats;
    int length = snprintf(line, sizeof line, "thread %d line %d", *(int *)number, i);
    OK(logflux_client_log(client, LOGFLUX_LEVEL_INFO, line, (size_t)length));
    OK(logflux_client_get_stats(client, &stats, sizeof stats, NULL));
    CHECK(stats.accepted == stats.delivered + stats.dropped.total + stats.pending + stats.spooled);
    if (i % 100 == 0) {
      OK(logflux_client_flush(client, 60000, NULL));
    }
    OK(logflux_sealer_seal(sealer, "n", 1, LOGFLUX_LEVEL_INFO, NULL, line, (size_t)length, entry, NULL));
    OK(logflux_opener_open(opener, logflux_buffer_data(entry), logflux_buffer_length(entry), message,
                           NULL));
    CHECK(strcmp(logflux_buffer_data(message), line) == 0);
    logflux_buffer_clear(entry);
    logflux_buffer_clear(message);
    /* A failure of this thread has details that no other thread sees. */
    {
      logflux_error *error = NULL;
      char index[32];
      logflux_opened *opened = NULL;
      const char *none = NULL;
      size_t none_length = 0;
      OK(logflux_opener_open_many(opener, NULL, 0, &opened, NULL));
      CHECK(logflux_opened_message(opened, (size_t)(*(int *)number * lines + i), &none, &none_length,
                                   &error) == LOGFLUX_STATUS_OUT_OF_RANGE);
      snprintf(index, sizeof index, "index is %d,", *(int *)number * lines + i);
      CHECK(strstr(logflux_error_message(error), index) != NULL);
      logflux_error_free(error);
      logflux_opened_free(opened);
    }
  }
  logflux_buffer_free(entry);
  logflux_buffer_free(message);
  return NULL;
}

int main(int argc, char **argv) {
  logflux_config *config = NULL;
  logflux_secret *secret = NULL;
  logflux_keyring *keyring = NULL;
  logflux_client_stats stats;
  pthread_t threads[THREADS];
  int numbers[THREADS];
  int i;

  if (argc > 1) {
    lines = atoi(argv[1]);
  }
  OK(logflux_config_from_env(&config, NULL));
  OK(logflux_config_set_mode(config, LOGFLUX_MODE_HKDF, NULL));
  OK(logflux_client_new(config, &client, NULL));
  OK(logflux_secret_generate(&secret, NULL));
  OK(logflux_sealer_new(secret, LOGFLUX_MODE_HKDF, NULL, &sealer, NULL));
  OK(logflux_keyring_new(secret, NULL, &keyring, NULL));
  OK(logflux_opener_new(keyring, 0, 0, &opener, NULL));
  logflux_config_free(config);
  logflux_keyring_free(keyring);
  logflux_secret_free(secret);

  for (i = 0; i < THREADS; i++) {
    numbers[i] = i;
    CHECK(pthread_create(&threads[i], NULL, work, &numbers[i]) == 0);
  }
  for (i = 0; i < THREADS; i++) {
    CHECK(pthread_join(threads[i], NULL) == 0);
  }
  OK(logflux_client_close(client, 60000, NULL));
  OK(logflux_client_get_stats(client, &stats, sizeof stats, NULL));
  CHECK(stats.delivered == (uint64_t)(THREADS * lines) && stats.dropped.total == 0);
  logflux_client_free(client);
  logflux_sealer_free(sealer);
  logflux_opener_free(opener);
  return 0;
}

/* Nanoseconds of a call through C, as benches/src/bin/c_call.rs measures them through Rust: the median
 * of bursts, each the mean of its calls. Prints "log N" and "seal N". */

#define _POSIX_C_SOURCE 200809L

#include <logflux.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LENGTH = 256, BURST = 1000, BURSTS = 200 };

static char message[LENGTH];

static void must(logflux_status status) {
  if (status != LOGFLUX_STATUS_OK) {
    fprintf(stderr, "%s\n", logflux_status_text(status));
    exit(1);
  }
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static int compare(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void measure(const char *name, void (*call)(void)) {
  static double means[BURSTS];
  const struct timespec pause = {0, 2000000};
  int burst, i;
  for (burst = 0; burst < BURSTS; burst++) {
    const double begun = now();
    for (i = 0; i < BURST; i++) {
      call();
    }
    means[burst] = (now() - begun) / BURST;
    nanosleep(&pause, NULL);
  }
  qsort(means, BURSTS, sizeof *means, compare);
  printf("%s %.1f\n", name, means[BURSTS / 2]);
}

static logflux_client *client;
static logflux_sealer *sealer;
static logflux_buffer *out;
static const logflux_timestamp timestamp = {1705487445, 0};

static void log_one(void) {
  must(logflux_client_log(client, LOGFLUX_LEVEL_INFO, message, LENGTH));
}

static void seal_one(void) {
  logflux_buffer_clear(out);
  must(logflux_sealer_seal(sealer, "app-server-01", 13, LOGFLUX_LEVEL_INFO, &timestamp, message, LENGTH,
                           out, NULL));
}

int main(void) {
  const logflux_key_policy policy = {LOGFLUX_POLICY_KIND_BOUNDED, 0, 1 << 20, 3600000};
  logflux_secret *secret = NULL;
  logflux_config *config = NULL;

  memset(message, 'x', LENGTH);
  must(logflux_secret_generate(&secret, NULL));
  must(logflux_config_new_cstr("https://127.0.0.1:1", "lf_0123456789abcdefABCDEF0123456789", secret,
                               &config, NULL));
  must(logflux_config_set_queue(config, 1000000, (size_t)1 << 30, NULL));
  must(logflux_config_set_retry(config, 5, 60000, 60000, 2.0, NULL));
  must(logflux_client_new(config, &client, NULL));
  must(logflux_sealer_new(secret, LOGFLUX_MODE_PBKDF2, &policy, &sealer, NULL));
  out = logflux_buffer_new();

  seal_one();
  measure("seal", seal_one);
  log_one();
  measure("log", log_one);

  (void)logflux_client_close(client, 0, NULL);
  logflux_client_free(client);
  logflux_config_free(config);
  logflux_sealer_free(sealer);
  logflux_buffer_free(out);
  logflux_secret_free(secret);
  return 0;
}

/* The library's threads run no handler of the host's, and a closed stderr does not end the host. */

#define _POSIX_C_SOURCE 200809L

#include "check.h"

#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

static pthread_t host;
static volatile sig_atomic_t seen, strange;

static void handler(int number) {
  (void)number;
  seen++;
  if (!pthread_equal(pthread_self(), host)) {
    strange++;
  }
}

int main(void) {
  logflux_secret *secret = NULL;
  logflux_config *config = NULL;
  logflux_client *client = NULL;
  struct sigaction action;
  sigset_t usr1;
  int ends[2];
  int i;

  /* What is written to stderr now would raise SIGPIPE, which ends a process. */
  CHECK(pipe(ends) == 0 && close(ends[0]) == 0 && dup2(ends[1], STDERR_FILENO) == STDERR_FILENO);

  OK(logflux_secret_generate(&secret, NULL));
  OK(logflux_config_new_cstr("https://127.0.0.1:1", KEY, secret, &config, NULL));
  OK(logflux_config_set_queue(config, 1, 1000, NULL));
  OK(logflux_config_set_retry(config, 0, 1, 1, 1.0, NULL));
  OK(logflux_config_set_flush_interval(config, 1, NULL));
  OK(logflux_client_new(config, &client, NULL));
  logflux_config_free(config);
  logflux_secret_free(secret);

  memset(&action, 0, sizeof action);
  action.sa_handler = handler;
  host = pthread_self();
  CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
  for (i = 0; i < 100; i++) {
    OK(logflux_client_log_cstr(client, LOGFLUX_LEVEL_INFO, "dropped, most of the time"));
  }
  (void)logflux_client_flush(client, 1000, NULL);

  /* While the host's own thread blocks the signal, no other thread may take it. */
  CHECK(sigemptyset(&usr1) == 0 && sigaddset(&usr1, SIGUSR1) == 0);
  CHECK(pthread_sigmask(SIG_BLOCK, &usr1, NULL) == 0);
  CHECK(kill(getpid(), SIGUSR1) == 0);
  {
    struct timespec pause = {0, 200000000};
    nanosleep(&pause, NULL);
  }
  CHECK(seen == 0);
  CHECK(pthread_sigmask(SIG_UNBLOCK, &usr1, NULL) == 0);
  CHECK(seen == 1 && strange == 0);

  (void)logflux_client_close(client, 1000, NULL);
  logflux_client_free(client);
  printf("alive\n");
  return 0;
}

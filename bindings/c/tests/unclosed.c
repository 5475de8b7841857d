/* Ends without closing its client, in the way that the first argument names. */

#define _XOPEN_SOURCE 700

#include "check.h"

#include <sys/wait.h>
#include <unistd.h>

static logflux_client *client;
/* Volatile, so that it is not optimised away, and the client a leak. */
static logflux_client *volatile second;

static void dropped(void *context, const logflux_dropped *counts) {
  (void)counts;
  *(int *)context = 1;
}

static logflux_client *make(void *context) {
  logflux_config *config = NULL;
  logflux_client *made = NULL;
  OK(logflux_config_from_env(&config, NULL));
  OK(logflux_config_set_mode(config, LOGFLUX_MODE_HKDF, NULL));
  /* Nothing is sent unless something asks for it. */
  OK(logflux_config_set_flush_interval(config, 3600000, NULL));
  if (context != NULL) {
    OK(logflux_config_set_on_drop(config, dropped, context, NULL));
  }
  OK(logflux_client_new(config, &made, NULL));
  logflux_config_free(config);
  return made;
}

static void say(const char *line) {
  OK(logflux_client_log_cstr(client, LOGFLUX_LEVEL_INFO, line));
}

/* Was registered before the library's handler, and so runs after it. */
static void earlier(void) {
  if (client != NULL) {
    say("a handler");
    OK(logflux_client_close(client, 30000, NULL));
    logflux_client_free(client);
  }
}

int main(int argc, char **argv) {
  const char *way = argc > 1 ? argv[1] : "";
  int here = 0;

  if (strcmp(way, "handler") == 0) {
    CHECK(atexit(earlier) == 0);
  }
  client = make(&here);
  say("main");
  if (strcmp(way, "exit") == 0) {
    exit(0);
  } else if (strcmp(way, "two") == 0) {
    second = make(NULL);
    OK(logflux_client_log_cstr(second, LOGFLUX_LEVEL_INFO, "second"));
  } else if (strcmp(way, "freed") == 0) {
    logflux_client_free(client);
    client = NULL;
  } else if (strcmp(way, "child") == 0) {
    int status = 1;
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
      say("child");
      exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0);
  }
  return 0;
}

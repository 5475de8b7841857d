/* Sets a client up as a library of another language does: with variables that are given, the secret
 * apart, and sentences that are fetched. Logs a line, and prints the first sentence. */

#define _POSIX_C_SOURCE 200809L

#include "check.h"

#include <time.h>

extern char **environ;

int main(void) {
  char block[8192];
  size_t length = 0;
  logflux_secret *secret = NULL;
  logflux_config *config = NULL;
  logflux_client *client = NULL;
  logflux_buffer *sentence = logflux_buffer_new();
  const struct timespec pause = {0, 10000000};
  char **variable;

  for (variable = environ; *variable; variable++) {
    const size_t size = strlen(*variable) + 1;
    if (strncmp(*variable, "LOGFLUX_SECRET=", 15) == 0) {
      OK(logflux_secret_new_cstr(*variable + 15, &secret, NULL));
    } else if (strncmp(*variable, "LOGFLUX_", 8) == 0) {
      CHECK(length + size < sizeof block - 64);
      memcpy(block + length, *variable, size);
      length += size;
    }
  }
  /* The last of one name counts, and nothing of the environment does. */
  memcpy(block + length, "LOGFLUX_CLOSE_TIMEOUT=1234ms", 29);
  length += 29;
  CHECK(unsetenv("LOGFLUX_SERVER_URL") == 0);
  OK(logflux_config_from_variables(block, length, secret, &config, NULL));
  logflux_secret_free(secret);
  OK(logflux_config_set_keep_notices(config, true, NULL));
  OK(logflux_client_new(config, &client, NULL));
  logflux_config_free(config);
  CHECK(logflux_client_close_timeout_ms(client) == 1234);
  OK(logflux_client_log_cstr(client, LOGFLUX_LEVEL_INFO, "to a server that refuses the key"));
  while (logflux_buffer_length(sentence) == 0) {
    OK(logflux_client_take_notice(client, sentence, NULL));
    (void)nanosleep(&pause, NULL);
  }
  puts(logflux_buffer_data(sentence));
  logflux_buffer_free(sentence);
  (void)logflux_client_close(client, 0, NULL);
  logflux_client_free(client);
  return 0;
}

/* Seals one message and opens it again. The secret comes from LOGFLUX_SECRET, LOGFLUX_SECRET_FILE or
 * LOGFLUX_SECRET_COMMAND; where none is set, a new one is made. */

#include <logflux.h>

#include <stdio.h>
#include <stdlib.h>

static int fail(const char *what, logflux_error *error) {
  fprintf(stderr, "%s: %s\n", what, logflux_error_message(error));
  logflux_error_free(error);
  return EXIT_FAILURE;
}

int main(int argc, char **argv) {
  const char *text = argc > 1 ? argv[1] : "User login successful";
  logflux_secret *secret = NULL;
  logflux_error *error = NULL;
  logflux_buffer *entry = logflux_buffer_new();
  logflux_buffer *message = logflux_buffer_new();
  int result = EXIT_SUCCESS;

  if (logflux_secret_from_env(&secret, NULL) != LOGFLUX_STATUS_OK &&
      logflux_secret_generate(&secret, &error) != LOGFLUX_STATUS_OK) {
    result = fail("no secret", error);
  } else if (logflux_seal_cstr(secret, "app-server-01", LOGFLUX_LEVEL_INFO, NULL, text, entry,
                               &error) != LOGFLUX_STATUS_OK) {
    result = fail("not sealed", error);
  } else if (logflux_open(secret, logflux_buffer_data(entry), logflux_buffer_length(entry), message,
                          &error) != LOGFLUX_STATUS_OK) {
    result = fail("not opened", error);
  } else {
    printf("%s\n%s\n", logflux_buffer_data(entry), logflux_buffer_data(message));
  }

  logflux_buffer_free(message);
  logflux_buffer_free(entry);
  logflux_secret_free(secret);
  return result;
}

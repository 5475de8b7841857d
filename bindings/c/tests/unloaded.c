/* Opens the library as a plugin does, logs, closes the library, and ends. */

#define _XOPEN_SOURCE 700

#include "check.h"

#include <dlfcn.h>

/* A function of the library. ISO C has no way from an object's address to a function's. */
#define FUNCTION(name) *(void **)&name = dlsym(library, "logflux_" #name)

int main(void) {
  logflux_status (*config_from_env)(logflux_config **, logflux_error **);
  logflux_status (*client_new)(const logflux_config *, logflux_client **, logflux_error **);
  logflux_status (*client_log_cstr)(const logflux_client *, uint32_t, const char *);
  logflux_config *config = NULL;
  logflux_client *client = NULL;
  void *library;

  CHECK(dlopen("liblogflux.so", RTLD_NOW | RTLD_NOLOAD) == NULL);
  library = dlopen("liblogflux.so", RTLD_NOW);
  CHECK(library != NULL);
  FUNCTION(config_from_env);
  FUNCTION(client_new);
  FUNCTION(client_log_cstr);
  CHECK(config_from_env(&config, NULL) == LOGFLUX_STATUS_OK);
  CHECK(client_new(config, &client, NULL) == LOGFLUX_STATUS_OK);
  CHECK(client_log_cstr(client, LOGFLUX_LEVEL_INFO, "unloaded") == LOGFLUX_STATUS_OK);
  CHECK(dlclose(library) == 0);
  return 0;
}

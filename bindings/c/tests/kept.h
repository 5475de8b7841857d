/* What the programs for vectors keep between two of them: most have the secret of the one before. */

#ifndef KEPT_H
#define KEPT_H

#include "check.h"

typedef struct bytes {
  char *data;
  size_t length;
} bytes;

static bytes known;
static logflux_secret *secret;
static logflux_opener *opener;
static logflux_sealer *sealer;

static void forget_secret(void) {
  logflux_opener_free(opener);
  logflux_sealer_free(sealer);
  logflux_secret_free(secret);
  opener = NULL;
  sealer = NULL;
  secret = NULL;
}

/* Makes a secret and an opener of it, unless they are there; takes the bytes over. */
static logflux_status use_secret(bytes wanted, logflux_error **error) {
  logflux_keyring *keyring = NULL;
  logflux_status status = LOGFLUX_STATUS_OK;
  if (secret == NULL || known.length != wanted.length || memcmp(known.data, wanted.data, wanted.length) != 0) {
    forget_secret();
    status = logflux_secret_new(wanted.data, wanted.length, &secret, error);
  }
  if (status == LOGFLUX_STATUS_OK && opener == NULL) {
    OK(logflux_keyring_new(secret, NULL, &keyring, NULL));
    OK(logflux_opener_new(keyring, 0, 0, &opener, NULL));
    logflux_keyring_free(keyring);
  }
  free(known.data);
  known = wanted;
  return status;
}

#endif

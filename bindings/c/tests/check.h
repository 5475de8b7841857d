/* What the test programs share. */

#ifndef CHECK_H
#define CHECK_H

#include <logflux.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Ends the program where a condition does not hold. */
#define CHECK(condition)                                                                          \
  do {                                                                                            \
    if (!(condition)) {                                                                           \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                             \
      exit(1);                                                                                    \
    }                                                                                             \
  } while (0)

/* Does something that must succeed. */
#define OK(call)                                                                                  \
  do {                                                                                            \
    logflux_status status_ = (call);                                                              \
    if (status_ != LOGFLUX_STATUS_OK) {                                                           \
      fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #call, logflux_status_text(status_)); \
      exit(1);                                                                                    \
    }                                                                                             \
  } while (0)

#define KEY "lf_0123456789abcdefABCDEF0123456789"
#define SECRET "correct horse battery staple"

#endif

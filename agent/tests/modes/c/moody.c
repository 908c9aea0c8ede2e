/* Does something else each time. */
#include "half.h"
#include <time.h>

static int32_t act(const alongside_host *host, const uint8_t *said, size_t len) {
  struct timespec now;
  (void)said;
  (void)len;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return tell(host, &now, sizeof now);
}

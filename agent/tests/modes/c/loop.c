/* Answers the first messages, and then never again. */
#include "half.h"

static int32_t act(const alongside_host *host, const uint8_t *said, size_t len) {
  static volatile unsigned heard;
  if (++heard > 5) for (;;) heard++;
  return tell(host, said, len);
}

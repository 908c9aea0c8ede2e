/* Asks for what its manifest does not name. */
#include "half.h"

static int32_t act(const alongside_host *host, const uint8_t *said, size_t len) {
  static const uint8_t text[] = {2, 'n', 'o'};
  host->emit(host->ctx, ALONGSIDE_FX_TEXT, text, sizeof text);
  return tell(host, said, len);
}

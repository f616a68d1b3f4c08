/* One call of libsodium's original ChaCha20 (8-byte nonce, 64-bit counter): its keystream is the
 * content. */
#include "models/crypto/expand.h"

#include <sodium/crypto_stream_chacha20.h>

void dc_expand(const struct dc_hash *seed, uint64_t block, void *out, size_t size)
{
    uint8_t nonce[crypto_stream_chacha20_NONCEBYTES];
    dc_put64(nonce, block);
    crypto_stream_chacha20(out, size, nonce, seed->b);
}

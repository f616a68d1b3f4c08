/* Gives every input of a corpus to a fuzz target, as an ordinary test.
 *
 * A corpus is one file: inputs one after another, each behind its size (4 bytes, little-endian).
 * tests/fuzz/pack.py makes it from a folder. */
#include "models/base/bytes.h"
#include "models/base/mem.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

static uint8_t *read_whole(const char *path, size_t *size)
{
    FILE *f = fopen(path, "rb");
    if (f == NULL || fseek(f, 0, SEEK_END) != 0 || ftell(f) < 0) {
        fprintf(stderr, "%s: cannot be read\n", path);
        exit(1);
    }
    *size = (size_t)ftell(f);
    rewind(f);
    uint8_t *bytes = malloc(*size + 1);
    if (bytes == NULL || fread(bytes, 1, *size, f) != *size) {
        fprintf(stderr, "%s: cannot be read whole\n", path);
        exit(1);
    }
    fclose(f);
    return bytes;
}

int main(int argc, char **argv)
{
    unsigned count = 0;
    for (int i = 1; i < argc; i++) {
        size_t size, at = 0;
        uint8_t *bytes = read_whole(argv[i], &size);
        while (at + 4 <= size) {
            size_t length = dc_get32(bytes + at);
            at += 4;
            FUZZ_NEED(length <= size - at);
            uint8_t *input = malloc(length + 1); /* its own block: sanitizers see its end */
            FUZZ_NEED(input != NULL);
            for (size_t b = 0; b < length; b++)
                input[b] = bytes[at + b];
            (void)LLVMFuzzerTestOneInput(input, length);
            free(input);
            at += length;
            count++;
        }
        FUZZ_NEED(at == size);
        free(bytes);
    }
    printf("%u inputs\n", count);
    return count == 0;
}

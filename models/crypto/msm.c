/* Sums of multiples, three ways.
 *
 *   Straus, variable time   odd multiples P .. 15 P of each point, digits in width-5 non-adjacent
 *                           form: one run of 254 doublings for all, 42 additions for each point
 *   Pippenger               windows of c bits with signed digits; in a window every point is added
 *                           to the bucket of its digit, and the buckets are added up weighted by
 *                           running sums: 254/c (count + 2^c) additions and no tables; points are
 *                           made flat first, with one inversion for all
 *   Straus, constant time   P .. 8 P of each point, 64 signed digits of 4 bits, each looked up by
 *                           reading the whole table
 *
 * A digit of Pippenger's takes int16, so c <= 15.  Its best c was measured (msm_window). */
#include "models/crypto/edwards.h"
#include "models/crypto/scratch.h"

#define NAF_DIGITS 255
#define NAF_TABLE 8 /* odd multiples up to 15 */
#define SMALL_COUNT ((size_t)16)
#define STRAUS_COUNT_MAX ((size_t)180) /* above this Pippenger is faster; measured */
#define FIXED_TABLE 8
#define FIXED_DIGITS 64

/* --- Straus, variable time ------------------------------------------------------------------ */

/* Odd digits between -15 and 15, at least five places apart. */
static int naf_digits(const struct dc_scalar *a, int8_t naf[NAF_DIGITS])
{
    uint8_t bytes[40] = {0};
    int top = -1;
    unsigned carry = 0;
    dc_scalar_encode(a, bytes);
    memset(naf, 0, NAF_DIGITS);
    for (int i = 0; i < NAF_DIGITS;) {
        unsigned bits = (unsigned)(dc_get32(bytes + i / 8) >> (i % 8)) & 31u;
        unsigned window = bits + carry;
        if ((window & 1) == 0) {
            i++;
            continue;
        }
        carry = window > 16;
        naf[i] = (int8_t)(carry ? (int)window - 32 : (int)window);
        top = i;
        i += 5;
    }
    return top;
}

static void naf_table(const struct dc_point *p, struct dc_cached table[NAF_TABLE])
{
    struct dc_extended e = dc_edwards_load(p), twice = dc_edwards_double(&e);
    struct dc_cached step = dc_edwards_cache(&twice);
    table[0] = dc_edwards_cache(&e);
    for (int k = 1; k < NAF_TABLE; k++) {
        e = dc_edwards_add(&e, &step, false);
        table[k] = dc_edwards_cache(&e);
    }
}

static struct dc_point straus(const struct dc_scalar *a, const struct dc_point *p, size_t count,
                              struct dc_cached (*table)[NAF_TABLE], int8_t (*naf)[NAF_DIGITS])
{
    struct dc_extended sum = dc_edwards_identity();
    int top = -1;
    for (size_t i = 0; i < count; i++) {
        int digits = naf_digits(&a[i], naf[i]);
        top = digits > top ? digits : top;
        if (digits >= 0)
            naf_table(&p[i], table[i]);
    }
    for (int d = top; d >= 0; d--) {
        if (d != top)
            sum = dc_edwards_double(&sum);
        for (size_t i = 0; i < count; i++) {
            int8_t digit = naf[i][d];
            if (digit > 0)
                sum = dc_edwards_add(&sum, &table[i][digit / 2], false);
            else if (digit < 0)
                sum = dc_edwards_add(&sum, &table[i][-digit / 2], true);
        }
    }
    return dc_edwards_store(&sum);
}

/* --- Pippenger ------------------------------------------------------------------------------ */

static unsigned msm_window(size_t count)
{
    return count < 320 ? 5 : count < 650 ? 7 : count < 2100 ? 8 : count < 4200 ? 9 : 10;
}

/* Signed digits of c bits, least first, between -2^(c-1) and 2^(c-1) - 1 but for the last. */
static void window_digits(const struct dc_scalar *a, unsigned c, unsigned windows, int16_t *digit)
{
    uint8_t bytes[40] = {0};
    int carry = 0, half = 1 << (c - 1);
    dc_scalar_encode(a, bytes);
    for (unsigned w = 0; w < windows; w++) {
        unsigned at = w * c;
        int d = carry + (int)(dc_get32(bytes + at / 8) >> (at % 8) & ((1u << c) - 1));
        carry = d >= half;
        digit[w] = (int16_t)(carry ? d - 2 * half : d);
    }
}

/* Makes points flat; inverse is room for count.  Z is never 0. */
static void points_flatten(const struct dc_point *p, size_t count, struct dc_flat *out,
                           struct dc_field *inverse)
{
    struct dc_field product = dc_field_small(1), k = dc_field_small(DC_EDWARDS_2D);
    for (size_t i = 0; i < count; i++) {
        struct dc_field z = dc_edwards_limbs(p[i].p->z);
        inverse[i] = product; /* of those before, for now */
        product = dc_field_mul(&product, &z);
    }
    product = dc_field_invert(&product);
    for (size_t i = count; i-- > 0;) {
        struct dc_extended e = dc_edwards_load(&p[i]);
        struct dc_field z = dc_field_mul(&product, &inverse[i]);
        product = dc_field_mul(&product, &e.z);
        e.x = dc_field_mul(&e.x, &z);
        e.y = dc_field_mul(&e.y, &z);
        e.t = dc_field_mul(&e.x, &e.y);
        out[i] = (struct dc_flat){dc_field_sub(&e.y, &e.x), dc_field_add(&e.y, &e.x),
                                  dc_field_mul(&e.t, &k)};
    }
}

/* Adds the sum of k bucket[k-1] to *out; used[k-1] says which buckets hold anything. */
static void bucket_sum(const struct dc_extended *bucket, const uint8_t *used, int buckets,
                       struct dc_extended *out)
{
    struct dc_extended run = dc_edwards_identity();
    struct dc_cached step = dc_edwards_cache(&run);
    bool any = false;
    for (int k = buckets - 1; k >= 0; k--) {
        if (used[k]) {
            struct dc_cached c = dc_edwards_cache(&bucket[k]);
            run = any ? dc_edwards_add(&run, &c, false) : bucket[k];
            step = dc_edwards_cache(&run);
            any = true;
        }
        if (any)
            *out = dc_edwards_add(out, &step, false);
    }
}

/* The point itself, with Z = 4: 2 (plus - minus) = 4x, 2 (plus + minus) = 4y, their product 4 (4xy). */
static struct dc_extended bucket_begin(const struct dc_flat *p, bool subtract)
{
    const struct dc_field *plus = subtract ? &p->minus : &p->plus;
    const struct dc_field *minus = subtract ? &p->plus : &p->minus;
    struct dc_field x = dc_field_sub(plus, minus), y = dc_field_add(plus, minus);
    return (struct dc_extended){dc_field_add(&x, &x), dc_field_add(&y, &y), dc_field_small(4),
                                dc_field_mul(&x, &y)};
}

static void bucket_fill(const struct dc_flat *p, size_t count, const int16_t *digit,
                        unsigned windows, struct dc_extended *bucket, uint8_t *used)
{
    for (size_t i = 0; i < count; i++) {
        int d = digit[i * windows];
        if (d == 0)
            continue;
        int k = (d > 0 ? d : -d) - 1;
        if (used[k])
            bucket[k] = dc_edwards_add_flat(&bucket[k], &p[i], d < 0);
        else
            bucket[k] = bucket_begin(&p[i], d < 0);
        used[k] = 1;
    }
}

static struct dc_point pippenger(const struct dc_scalar *a, const struct dc_point *p, size_t count)
{
    unsigned c = msm_window(count), windows = (254 + c - 1) / c + (254 % c == 0);
    int buckets = 1 << (c - 1);
    size_t bucket_bytes = (size_t)buckets * sizeof(struct dc_extended),
           used_bytes = (size_t)buckets;
    size_t digit_bytes = count * windows * sizeof(int16_t);
    size_t flat_bytes = count * sizeof(struct dc_flat),
           inverse_bytes = count * sizeof(struct dc_field);
    struct dc_scratch scratch = dc_scratch_take(bucket_bytes + used_bytes + digit_bytes +
                                                flat_bytes + inverse_bytes + (size_t)5 * 64);
    struct dc_extended *bucket = dc_scratch_part(&scratch, bucket_bytes);
    uint8_t *used = dc_scratch_part(&scratch, used_bytes);
    int16_t *digit = dc_scratch_part(&scratch, digit_bytes);
    struct dc_flat *flat = dc_scratch_part(&scratch, flat_bytes);
    struct dc_extended sum = dc_edwards_identity();
    points_flatten(p, count, flat, dc_scratch_part(&scratch, inverse_bytes));
    for (size_t i = 0; i < count; i++)
        window_digits(&a[i], c, windows, digit + i * windows);
    for (unsigned w = windows; w-- > 0;) {
        if (w != windows - 1)
            for (unsigned k = 0; k < c; k++)
                sum = dc_edwards_double(&sum);
        memset(used, 0, used_bytes);
        bucket_fill(flat, count, digit + w, windows, bucket, used);
        bucket_sum(bucket, used, buckets, &sum);
    }
    dc_scratch_give(&scratch);
    return dc_edwards_store(&sum);
}

struct dc_point dc_msm_vartime(const struct dc_scalar *a, const struct dc_point *p, size_t count)
{
    if (count > STRAUS_COUNT_MAX)
        return pippenger(a, p, count);
    if (count <= SMALL_COUNT) {
        struct dc_cached table[SMALL_COUNT][NAF_TABLE];
        int8_t naf[SMALL_COUNT][NAF_DIGITS];
        return straus(a, p, count, table, naf);
    }
    size_t table_bytes = count * NAF_TABLE * sizeof(struct dc_cached);
    struct dc_scratch scratch = dc_scratch_take(table_bytes + count * NAF_DIGITS + 128);
    void *table = dc_scratch_part(&scratch, table_bytes);
    void *naf = dc_scratch_part(&scratch, count * NAF_DIGITS);
    struct dc_point sum = straus(a, p, count, table, naf);
    dc_scratch_give(&scratch);
    return sum;
}

/* --- Straus, constant time ------------------------------------------------------------------ */

/* Digits between -8 and 7: a + 8 (16^64 - 1) / 15 has the digits plus 8. */
static void fixed_digits(const struct dc_scalar *a, int8_t digit[FIXED_DIGITS])
{
    uint8_t bytes[32];
    unsigned carry = 0;
    dc_scalar_encode(a, bytes);
    for (int i = 0; i < 32; i++) {
        carry += bytes[i] + 0x88u;
        digit[2 * i] = (int8_t)((int)(carry & 15) - 8);
        digit[2 * i + 1] = (int8_t)((int)(carry >> 4 & 15) - 8);
        carry >>= 8;
    }
}

static void field_select(struct dc_field *a, const struct dc_field *b, uint64_t mask)
{
    for (int i = 0; i < 5; i++)
        a->v[i] ^= mask & (a->v[i] ^ b->v[i]);
}

/* digit P, from P .. 8 P, reading all of them whatever the digit. */
static struct dc_cached fixed_lookup(const struct dc_cached table[FIXED_TABLE], int8_t digit)
{
    unsigned negative = (uint8_t)digit >> 7;
    unsigned size = ((unsigned)digit ^ (0u - negative)) + negative;
    struct dc_extended identity = dc_edwards_identity();
    struct dc_cached found = dc_edwards_cache(&identity), minus;
    for (unsigned k = 1; k <= FIXED_TABLE; k++) {
        unsigned differs = size ^ k;
        uint64_t mask = 0 - (uint64_t)(((differs | (0u - differs)) >> 31) ^ 1u);
        field_select(&found.minus, &table[k - 1].minus, mask);
        field_select(&found.plus, &table[k - 1].plus, mask);
        field_select(&found.t2d, &table[k - 1].t2d, mask);
        field_select(&found.z2, &table[k - 1].z2, mask);
    }
    minus = found;
    field_select(&found.minus, &minus.plus, 0 - (uint64_t)negative);
    field_select(&found.plus, &minus.minus, 0 - (uint64_t)negative);
    minus.t2d = dc_field_neg(&minus.t2d);
    field_select(&found.t2d, &minus.t2d, 0 - (uint64_t)negative);
    return found;
}

struct dc_point dc_msm(const struct dc_scalar *a, const struct dc_point *p, size_t count)
{
    struct dc_extended sum = dc_edwards_identity();
    size_t table_bytes = count * FIXED_TABLE * sizeof(struct dc_cached);
    struct dc_scratch scratch = dc_scratch_take(table_bytes + count * FIXED_DIGITS + 128);
    struct dc_cached(*table)[FIXED_TABLE] = dc_scratch_part(&scratch, table_bytes);
    int8_t(*digit)[FIXED_DIGITS] = dc_scratch_part(&scratch, count * FIXED_DIGITS);
    for (size_t i = 0; i < count; i++) {
        struct dc_extended e = dc_edwards_load(&p[i]);
        fixed_digits(&a[i], digit[i]);
        table[i][0] = dc_edwards_cache(&e);
        for (int k = 1; k < FIXED_TABLE; k++) {
            e = dc_edwards_add(&e, &table[i][0], false);
            table[i][k] = dc_edwards_cache(&e);
        }
    }
    for (int d = FIXED_DIGITS - 1; d >= 0; d--) {
        for (int k = 0; k < 4; k++)
            sum = dc_edwards_double(&sum);
        for (size_t i = 0; i < count; i++) {
            struct dc_cached term = fixed_lookup(table[i], digit[i][d]);
            sum = dc_edwards_add(&sum, &term, false);
        }
    }
    dc_scratch_give(&scratch);
    return dc_edwards_store(&sum);
}

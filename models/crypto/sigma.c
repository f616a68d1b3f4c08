/* The rows of each published proof, over one prover and one verifier.
 *
 * A verifier folds its rows with powers of w, a challenge drawn after the responses, into one sum
 * that must be the identity: two to four multiplications of a point for each row in one Straus. */
#include "models/crypto/sigma.h"

#define TERMS_MAX (DC_SIGMA_ROWS_MAX * (DC_SIGMA_COLUMNS_MAX + 2))

/* --- the general form ----------------------------------------------------------------------- */

void dc_sigma_nonces(const struct dc_transcript *t, const struct dc_scalar *secret, uint32_t count,
                     struct dc_nonces *out)
{
    struct dc_hasher h;
    dc_hasher_init(&h, DC_DOMAIN_PROOF_NONCE);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t bytes[32];
        dc_scalar_encode(&secret[i], bytes);
        dc_hasher_update(&h, bytes, sizeof bytes);
    }
    struct dc_hash key = dc_hasher_final(&h);
    const uint8_t place[3] = {t->pos, t->pos_begin, t->flags};
    dc_nonces_init(out, key.b, DC_DOMAIN_PROOF_NONCE);
    dc_nonces_feed(out, t->state, sizeof t->state);
    dc_nonces_feed(out, place, sizeof place);
}

/* sum over j of a[j] point[i][j], in constant time. */
static struct dc_point sigma_row(const struct dc_sigma *s, uint32_t i, const struct dc_scalar *a)
{
    struct dc_point sum = dc_point_identity();
    for (uint32_t j = 0; j < s->columns; j++) {
        if ((s->used[i] >> j & 1) == 0)
            continue;
        struct dc_point p = dc_point_mul(&a[j], &s->point[i][j]);
        sum = dc_point_add(&sum, &p);
    }
    return sum;
}

void dc_sigma_prove(struct dc_transcript *t, const struct dc_sigma *s,
                    const struct dc_scalar *secret, uint8_t *proof)
{
    struct dc_nonces n;
    struct dc_scalar y[DC_SIGMA_COLUMNS_MAX];
    dc_sigma_nonces(t, secret, s->columns, &n);
    for (uint32_t j = 0; j < s->columns; j++)
        y[j] = dc_nonces_next(&n);
    for (uint32_t i = 0; i < s->rows; i++) {
        struct dc_point p = sigma_row(s, i, y);
        dc_point_encode(&p, proof + 32 * i);
        dc_transcript_append_point(t, s->row_label[i], proof + 32 * i);
    }
    struct dc_scalar c = dc_transcript_challenge_scalar(t, "c");
    for (uint32_t j = 0; j < s->columns; j++) {
        struct dc_scalar z = dc_scalar_mul(&c, &secret[j]);
        z = dc_scalar_add(&z, &y[j]);
        dc_scalar_encode(&z, proof + 32 * (s->rows + j));
        if (s->rows > 1)
            dc_transcript_append_scalar(t, s->column_label[j], &z);
    }
    if (s->rows > 1)
        (void)dc_transcript_challenge_scalar(t, "w");
}

bool dc_sigma_verify(struct dc_transcript *t, const struct dc_sigma *s, const uint8_t *proof)
{
    struct dc_point y[DC_SIGMA_ROWS_MAX], point[TERMS_MAX];
    struct dc_scalar z[DC_SIGMA_COLUMNS_MAX], factor[TERMS_MAX], w = dc_scalar_one(), power = w;
    for (uint32_t i = 0; i < s->rows; i++) {
        if (!dc_point_decode_proper(proof + 32 * i, &y[i]))
            return false;
        dc_transcript_append_point(t, s->row_label[i], proof + 32 * i);
    }
    struct dc_scalar c = dc_transcript_challenge_scalar(t, "c");
    for (uint32_t j = 0; j < s->columns; j++) {
        if (!dc_scalar_decode(proof + 32 * (s->rows + j), &z[j]))
            return false;
        if (s->rows > 1)
            dc_transcript_append_scalar(t, s->column_label[j], &z[j]);
    }
    if (s->rows > 1)
        w = dc_transcript_challenge_scalar(t, "w");
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->rows; i++) {
        for (uint32_t j = 0; j < s->columns; j++) {
            if ((s->used[i] >> j & 1) == 0)
                continue;
            factor[n] = dc_scalar_mul(&power, &z[j]);
            point[n++] = s->point[i][j];
        }
        struct dc_scalar minus = dc_scalar_neg(&power);
        factor[n] = dc_scalar_mul(&minus, &c);
        point[n++] = s->target[i];
        factor[n] = minus;
        point[n++] = y[i];
        power = dc_scalar_mul(&power, &w);
    }
    struct dc_point sum = dc_msm_vartime(factor, point, n);
    return dc_point_is_identity(&sum);
}

/* --- zk-ElGamal: key, zero ------------------------------------------------------------------- */

void dc_sigma_transcript(struct dc_transcript *t, const char *label)
{
    dc_transcript_init(t, "solana-zk-elgamal-proof-program-v1");
    dc_transcript_append(t, "dom-sep", label, strlen(label));
}

static void sigma_separate(struct dc_transcript *t, const char *name)
{
    dc_transcript_append(t, "dom-sep", name, strlen(name));
}

static void sigma_key_of(const struct dc_scalar *secret, struct dc_point *point, uint8_t key[32])
{
    *point = dc_twisted_key(secret);
    dc_point_encode(point, key);
}

/* Row: s^-1 B~ = P. */
static bool sigma_key(struct dc_transcript *t, const uint8_t key[32], struct dc_sigma *s)
{
    dc_transcript_append(t, "pubkey", key, 32);
    sigma_separate(t, "pubkey-proof");
    *s = (struct dc_sigma){.rows = 1, .columns = 1, .row_label = {"Y"}, .used = {1}};
    s->point[0][0] = dc_point_blinding();
    return dc_point_decode_proper(key, &s->target[0]);
}

void dc_sigma_key_prove(struct dc_transcript *t, const struct dc_scalar *secret, uint8_t proof[64])
{
    struct dc_sigma s;
    struct dc_point p;
    struct dc_scalar inverse = dc_scalar_invert(secret);
    uint8_t key[32];
    sigma_key_of(secret, &p, key);
    DC_CHECK(sigma_key(t, key, &s));
    dc_sigma_prove(t, &s, &inverse, proof);
}

bool dc_sigma_key_verify(struct dc_transcript *t, const uint8_t key[32], const uint8_t proof[64])
{
    struct dc_sigma s;
    return sigma_key(t, key, &s) && dc_sigma_verify(t, &s, proof);
}

/* Rows: s P = B~, s D = C. */
static bool sigma_zero(struct dc_transcript *t, const uint8_t key[32], const uint8_t ciphertext[64],
                       struct dc_sigma *s)
{
    dc_transcript_append(t, "pubkey", key, 32);
    dc_transcript_append(t, "ciphertext", ciphertext, 64);
    sigma_separate(t, "zero-ciphertext-proof");
    *s = (struct dc_sigma){.rows = 2,
                           .columns = 1,
                           .row_label = {"Y_P", "Y_D"},
                           .column_label = {"z"},
                           .used = {1, 1}};
    s->target[0] = dc_point_blinding();
    return dc_point_decode_proper(key, &s->point[0][0]) &&
           dc_point_decode_proper(ciphertext + 32, &s->point[1][0]) &&
           dc_point_decode_proper(ciphertext, &s->target[1]);
}

void dc_sigma_zero_prove(struct dc_transcript *t, const struct dc_scalar *secret,
                         const uint8_t ciphertext[64], uint8_t proof[96])
{
    struct dc_sigma s;
    struct dc_point p;
    uint8_t key[32];
    sigma_key_of(secret, &p, key);
    (void)sigma_zero(t, key, ciphertext, &s);
    dc_sigma_prove(t, &s, secret, proof);
}

bool dc_sigma_zero_verify(struct dc_transcript *t, const uint8_t key[32],
                          const uint8_t ciphertext[64], const uint8_t proof[96])
{
    struct dc_sigma s;
    return sigma_zero(t, key, ciphertext, &s) && dc_sigma_verify(t, &s, proof);
}

/* --- equality -------------------------------------------------------------------------------- */

/* The rows that both kinds share, secrets s, x, r: s P = B~, x B + s D = C, x B + r B~ = other. */
static bool sigma_equal(const uint8_t key[32], const uint8_t ciphertext[64],
                        const uint8_t other[32], struct dc_sigma *s)
{
    *s = (struct dc_sigma){.rows = 3,
                           .columns = 3,
                           .row_label = {"Y_0", "Y_1", "Y_2", "Y_3"},
                           .column_label = {"z_s", "z_x", "z_r"},
                           .used = {1, 3, 6}};
    s->target[0] = s->point[2][2] = dc_point_blinding();
    s->point[1][1] = s->point[2][1] = dc_point_base();
    return dc_point_decode_proper(key, &s->point[0][0]) &&
           dc_point_decode_proper(ciphertext + 32, &s->point[1][0]) &&
           dc_point_decode_proper(ciphertext, &s->target[1]) &&
           dc_point_decode_proper(other, &s->target[2]);
}

static bool sigma_equal_commitment(struct dc_transcript *t, const uint8_t key[32],
                                   const uint8_t ciphertext[64], const uint8_t commitment[32],
                                   struct dc_sigma *s)
{
    dc_transcript_append(t, "pubkey", key, 32);
    dc_transcript_append(t, "ciphertext", ciphertext, 64);
    dc_transcript_append(t, "commitment", commitment, 32);
    sigma_separate(t, "ciphertext-commitment-equality-proof");
    return sigma_equal(key, ciphertext, commitment, s);
}

void dc_sigma_equal_commitment_prove(struct dc_transcript *t, const struct dc_scalar *secret,
                                     const uint8_t ciphertext[64], const struct dc_scalar *amount,
                                     const struct dc_scalar *blinding, uint8_t proof[192])
{
    struct dc_sigma s;
    struct dc_point p, commitment = dc_pedersen(amount, blinding);
    uint8_t key[32], encoded[32];
    sigma_key_of(secret, &p, key);
    dc_point_encode(&commitment, encoded);
    (void)sigma_equal_commitment(t, key, ciphertext, encoded, &s);
    dc_sigma_prove(t, &s, (const struct dc_scalar[3]){*secret, *amount, *blinding}, proof);
}

bool dc_sigma_equal_commitment_verify(struct dc_transcript *t, const uint8_t key[32],
                                      const uint8_t ciphertext[64], const uint8_t commitment[32],
                                      const uint8_t proof[192])
{
    struct dc_sigma s;
    return sigma_equal_commitment(t, key, ciphertext, commitment, &s) &&
           dc_sigma_verify(t, &s, proof);
}

/* And a fourth row: r P' = D'. */
static bool sigma_equal_ciphertext(struct dc_transcript *t, const uint8_t key[2][32],
                                   const uint8_t ciphertext[2][64], struct dc_sigma *s)
{
    dc_transcript_append(t, "first-pubkey", key[0], 32);
    dc_transcript_append(t, "second-pubkey", key[1], 32);
    dc_transcript_append(t, "first-ciphertext", ciphertext[0], 64);
    dc_transcript_append(t, "second-ciphertext", ciphertext[1], 64);
    sigma_separate(t, "ciphertext-ciphertext-equality-proof");
    bool right = sigma_equal(key[0], ciphertext[0], ciphertext[1], s);
    s->rows = 4;
    s->used[3] = 4;
    return dc_point_decode_proper(key[1], &s->point[3][2]) &&
           dc_point_decode_proper(ciphertext[1] + 32, &s->target[3]) && right;
}

void dc_sigma_equal_ciphertext_prove(struct dc_transcript *t, const struct dc_scalar *secret,
                                     const uint8_t other_key[32], const uint8_t ciphertext[64],
                                     const struct dc_scalar *amount, const struct dc_scalar *r,
                                     uint8_t proof[224])
{
    struct dc_sigma s;
    struct dc_point p, other;
    uint8_t key[2][32], both[2][64];
    sigma_key_of(secret, &p, key[0]);
    memcpy(key[1], other_key, 32);
    memcpy(both[0], ciphertext, 64);
    DC_CHECK(dc_point_decode_proper(other_key, &other));
    struct dc_elgamal second = dc_twisted_encrypt(&other, amount, r);
    dc_elgamal_encode(&second, both[1]);
    (void)sigma_equal_ciphertext(t, (const uint8_t(*)[32])key, (const uint8_t(*)[64])both, &s);
    dc_sigma_prove(t, &s, (const struct dc_scalar[3]){*secret, *amount, *r}, proof);
}

bool dc_sigma_equal_ciphertext_verify(struct dc_transcript *t, const uint8_t key[2][32],
                                      const uint8_t ciphertext[2][64], const uint8_t proof[224])
{
    struct dc_sigma s;
    return sigma_equal_ciphertext(t, key, ciphertext, &s) && dc_sigma_verify(t, &s, proof);
}

/* --- validity of a group ---------------------------------------------------------------------- */

/* Rows, secrets r, x: r B~ + x B = C, r P_i = D_i.  The targets are the caller's. */
static bool sigma_group(struct dc_transcript *t, uint32_t handles, const uint8_t key[][32],
                        struct dc_sigma *s)
{
    DC_CHECK(handles == 2 || handles == 3);
    sigma_separate(t, "validity-proof");
    dc_transcript_append_u64(t, "handles", handles);
    *s = (struct dc_sigma){.rows = handles + 1,
                           .columns = 2,
                           .row_label = {"Y_0", "Y_1", "Y_2", "Y_3"},
                           .column_label = {"z_r", "z_x"},
                           .used = {3, 1, 1, 1}};
    s->point[0][0] = dc_point_blinding();
    s->point[0][1] = dc_point_base();
    bool right = true;
    for (uint32_t i = 0; i < handles; i++)
        right = dc_point_decode_proper(key[i], &s->point[i + 1][0]) && right;
    return right;
}

static void sigma_group_keys(struct dc_transcript *t, uint32_t handles, const uint8_t key[][32])
{
    static const char *const label[] = {"first-pubkey", "second-pubkey", "third-pubkey"};
    DC_CHECK(handles == 2 || handles == 3);
    for (uint32_t i = 0; i < handles; i++)
        dc_transcript_append(t, label[i], key[i], 32);
}

/* The ciphertext that amount and r make under the keys. */
static void sigma_group_made(uint32_t handles, const uint8_t key[][32],
                             const struct dc_scalar *amount, const struct dc_scalar *r,
                             uint8_t *out)
{
    struct dc_point p[DC_ELGAMAL_HANDLES_MAX];
    for (uint32_t i = 0; i < handles; i++)
        DC_CHECK(dc_point_decode_proper(key[i], &p[i]));
    dc_twisted_group(p, handles, amount, r, out);
}

void dc_sigma_group_prove(struct dc_transcript *t, uint32_t handles, const uint8_t key[][32],
                          const struct dc_scalar *amount, const struct dc_scalar *r, uint8_t *proof)
{
    struct dc_sigma s;
    uint8_t group[32 * (DC_ELGAMAL_HANDLES_MAX + 1)];
    sigma_group_keys(t, handles, key);
    sigma_group_made(handles, key, amount, r, group);
    dc_transcript_append(t, "grouped-ciphertext", group, 32 * (handles + 1));
    DC_CHECK(sigma_group(t, handles, key, &s));
    dc_sigma_prove(t, &s, (const struct dc_scalar[2]){*r, *amount}, proof);
}

bool dc_sigma_group_verify(struct dc_transcript *t, uint32_t handles, const uint8_t key[][32],
                           const uint8_t *group, const uint8_t *proof)
{
    struct dc_sigma s;
    sigma_group_keys(t, handles, key);
    dc_transcript_append(t, "grouped-ciphertext", group, 32 * (handles + 1));
    bool right = sigma_group(t, handles, key, &s);
    for (uint32_t i = 0; i <= handles; i++)
        right = dc_point_decode_proper(group + 32 * i, &s.target[i]) && right;
    return right && dc_sigma_verify(t, &s, proof);
}

/* What low + t high is of, by a challenge t on both. */
static struct dc_scalar sigma_groups(struct dc_transcript *t, uint32_t handles,
                                     const uint8_t key[][32], const uint8_t *low,
                                     const uint8_t *high)
{
    sigma_group_keys(t, handles, key);
    dc_transcript_append(t, "grouped-ciphertext-lo", low, 32 * (handles + 1));
    dc_transcript_append(t, "grouped-ciphertext-hi", high, 32 * (handles + 1));
    sigma_separate(t, "batched-validity-proof");
    dc_transcript_append_u64(t, "handles", handles);
    return dc_transcript_challenge_scalar(t, "t");
}

void dc_sigma_groups_prove(struct dc_transcript *t, uint32_t handles, const uint8_t key[][32],
                           const struct dc_scalar amount[2], const struct dc_scalar r[2],
                           uint8_t *proof)
{
    struct dc_sigma s;
    uint8_t group[2][32 * (DC_ELGAMAL_HANDLES_MAX + 1)];
    for (uint32_t i = 0; i < 2; i++)
        sigma_group_made(handles, key, &amount[i], &r[i], group[i]);
    struct dc_scalar by = sigma_groups(t, handles, key, group[0], group[1]), secret[2];
    secret[0] = dc_scalar_mul(&by, &r[1]);
    secret[0] = dc_scalar_add(&secret[0], &r[0]);
    secret[1] = dc_scalar_mul(&by, &amount[1]);
    secret[1] = dc_scalar_add(&secret[1], &amount[0]);
    DC_CHECK(sigma_group(t, handles, key, &s));
    dc_sigma_prove(t, &s, secret, proof);
}

bool dc_sigma_groups_verify(struct dc_transcript *t, uint32_t handles, const uint8_t key[][32],
                            const uint8_t *low, const uint8_t *high, const uint8_t *proof)
{
    struct dc_sigma s;
    struct dc_scalar by = sigma_groups(t, handles, key, low, high);
    bool right = sigma_group(t, handles, key, &s);
    for (uint32_t i = 0; i <= handles; i++) {
        struct dc_point a, b;
        right = dc_point_decode_proper(low + 32 * i, &a) &&
                dc_point_decode_proper(high + 32 * i, &b) && right;
        if (!right)
            return false;
        b = dc_point_mul(&by, &b);
        s.target[i] = dc_point_add(&a, &b);
    }
    return dc_sigma_verify(t, &s, proof);
}

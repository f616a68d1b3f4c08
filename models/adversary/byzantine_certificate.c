/* INVALID_CERTIFICATE: quorum and timeout certificates that do not hold, in whatever carries one.
 *
 *   QC  fixed 82 | bitmap | signatures x 64            TC  fixed 18 | bitmap | entries x (8 + 64)
 *
 *   lack      the first signer alone                   too little power
 *   repeat    the first signature under every bit      one seat counted many times
 *   foreign   each signature under the next bit        other signatures
 *
 * A timeout carries a QC by its round and digest: it names the highest round that it may, of which
 * there is no QC; those who ask for it get the forged one by SYNC. */
#include "models/adversary/byzantine_impl.h"

#include "models/base/mem.h"

enum certificate_fault {
    CERTIFICATE_LACK,
    CERTIFICATE_REPEAT,
    CERTIFICATE_FOREIGN,
    CERTIFICATE_FAULTS
};

/* Bytes before the bitmap; of a signature's entry; of what stands before a signature in it. */
struct certificate_form {
    size_t fixed, entry;
};
static const struct certificate_form certificate_qc = {82, 64}, certificate_tc = {18, 72};

/* A forged copy of an encoded certificate; *size changes when it lacks power. */
static uint8_t *certificate_forge(struct certificate_form form, const uint8_t *bytes, size_t *size,
                                  uint32_t members, uint32_t signatures,
                                  enum certificate_fault fault, struct dc_effects *out)
{
    uint8_t *copy = dc_byzantine_copy(out, bytes, *size);
    size_t bitmap = (members + 7) / 8;
    uint8_t *entry = copy + form.fixed + bitmap;
    if (fault == CERTIFICATE_FOREIGN && signatures == 1)
        fault = CERTIFICATE_LACK;
    if (fault == CERTIFICATE_LACK) {
        uint8_t *bits = copy + form.fixed;
        uint32_t first = 0;
        while ((bits[first / 8] >> first % 8 & 1) == 0)
            first++;
        memset(bits, 0, bitmap);
        bits[first / 8] = (uint8_t)(1u << first % 8);
        *size = form.fixed + bitmap + form.entry;
        if (signatures == 1) /* a committee of one: its signature is broken instead */
            entry[form.entry - 1] ^= 1;
    } else if (fault == CERTIFICATE_REPEAT) {
        for (uint32_t i = 1; i < signatures; i++)
            memcpy(entry + i * form.entry, entry, form.entry);
        if (signatures == 1)
            entry[form.entry - 1] ^= 1;
    } else {
        const uint8_t *old = bytes + form.fixed + bitmap;
        for (uint32_t i = 0; i < signatures; i++)
            memcpy(entry + i * form.entry, old + (i + 1) % signatures * form.entry, form.entry);
    }
    return copy;
}

static uint8_t *certificate_forge_qc(const struct dc_qc *qc, size_t *size,
                                     enum certificate_fault fault, struct dc_effects *out)
{
    *size = qc->size;
    return certificate_forge(certificate_qc, qc->bytes, size, qc->members, qc->signatures, fault,
                             out);
}

static uint8_t *certificate_forge_tc(const struct dc_tc *tc, size_t *size,
                                     enum certificate_fault fault, struct dc_effects *out)
{
    *size = tc->size;
    return certificate_forge(certificate_tc, tc->bytes, size, tc->members, tc->signatures, fault,
                             out);
}

/* --- in a hand-over, a proposal, a SYNC, a timeout ------------------------------------------- */

/* The QC stands at the end. */
static uint8_t *certificate_forge_handover(const struct dc_handover *h, size_t *size,
                                           enum certificate_fault fault, struct dc_effects *out)
{
    size_t qc_size, head = h->size - h->qc->size;
    const uint8_t *qc = certificate_forge_qc(h->qc, &qc_size, fault, out);
    uint8_t *bytes = dc_effects_bytes(out, head + qc_size);
    memcpy(bytes, h->bytes, head);
    memcpy(bytes + head, qc, qc_size);
    *size = head + qc_size;
    return bytes;
}

static bool certificate_in_proposal(struct dc_node *node, struct dc_effect *e, const uint8_t *bytes,
                                    size_t size, uint64_t turn, struct dc_effects *out)
{
    struct dc_block *b = dc_block_decode(bytes + 1, size - 1);
    if (b == NULL)
        return false;
    enum certificate_fault fault = (enum certificate_fault)(turn % CERTIFICATE_FAULTS);
    struct dc_block_parts parts = dc_byzantine_parts(b);
    struct dc_qc qc = {0};
    struct dc_tc tc = {0};
    struct dc_handover handover = {0};
    size_t forged = 0;
    bool any = true;
    if (b->tc != NULL && (turn / CERTIFICATE_FAULTS % 2 != 0 || b->qc == NULL)) {
        tc.bytes = certificate_forge_tc(b->tc, &forged, fault, out);
        tc.size = (uint32_t)forged;
        parts.tc = &tc;
    } else if (b->qc != NULL) {
        qc.bytes = certificate_forge_qc(b->qc, &forged, fault, out);
        qc.size = (uint32_t)forged;
        parts.qc = &qc;
    } else if (b->handover != NULL) {
        handover.bytes = certificate_forge_handover(b->handover, &forged, fault, out);
        handover.size = (uint32_t)forged;
        parts.handover = &handover;
    } else {
        any = false; /* the first block of all */
    }
    if (any) {
        const uint8_t *message = dc_byzantine_proposal(node, &parts, out, &size);
        dc_byzantine_replace(e, message, size);
    }
    dc_block_drop(b);
    return any;
}

static void certificate_in_sync(struct dc_effect *e, const uint8_t *bytes, size_t size,
                                uint64_t turn, struct dc_effects *out)
{
    struct dc_sync_msg m;
    if (!dc_sync_decode(bytes, size, &m))
        return;
    enum certificate_fault fault = (enum certificate_fault)(turn % CERTIFICATE_FAULTS);
    struct dc_qc *qc = m.qc != NULL ? dc_qc_decode(m.qc, m.qc_size) : NULL;
    struct dc_tc *tc = m.tc != NULL ? dc_tc_decode(m.tc, m.tc_size) : NULL;
    size_t forged;
    if (qc != NULL) {
        m.qc = certificate_forge_qc(qc, &forged, fault, out);
        m.qc_size = (uint32_t)forged;
    }
    if (tc != NULL) {
        m.tc = certificate_forge_tc(tc, &forged, fault, out);
        m.tc_size = (uint32_t)forged;
    }
    dc_qc_drop(qc);
    dc_tc_drop(tc);
    uint8_t *message = dc_effects_bytes(out, dc_sync_size(&m));
    dc_sync_encode(&m, message);
    dc_byzantine_replace(e, message, dc_sync_size(&m));
}

static void certificate_in_handover(struct dc_effect *e, const uint8_t *bytes, size_t size,
                                    uint64_t turn, struct dc_effects *out)
{
    struct dc_handover *h = dc_handover_decode(bytes + 1, size - 1);
    if (h == NULL)
        return;
    size_t forged;
    enum certificate_fault fault = (enum certificate_fault)(turn % CERTIFICATE_FAULTS);
    const uint8_t *handover = certificate_forge_handover(h, &forged, fault, out);
    uint8_t *message = dc_effects_bytes(out, 1 + forged);
    message[0] = DC_MSG_HANDOVER;
    memcpy(message + 1, handover, forged);
    dc_byzantine_replace(e, message, 1 + forged);
    dc_handover_drop(h);
}

static void certificate_in_timeout(const struct dc_node *node, struct dc_effect *e,
                                   const uint8_t *bytes, size_t size, struct dc_effects *out)
{
    struct dc_timeout t;
    if (!dc_timeout_decode(bytes, size, &t) || t.qc_round + 1 >= t.round)
        return;
    t.qc_round = t.round - 1;
    t.qc_digest = dc_hash_bytes(DC_DOMAIN_TEST, t.qc_digest.b, sizeof t.qc_digest.b);
    struct dc_hash digest = dc_timeout_digest(node->env.chain, t.epoch, t.round, t.qc_round);
    dc_sign(node->env.crypto, node->env.key, digest.b, sizeof digest.b, t.signature);
    out->charge[DC_COST_SIGN]++;
    uint8_t *message = dc_effects_bytes(out, DC_TIMEOUT_MSG_BYTES_MAX);
    dc_byzantine_replace(e, message, dc_timeout_encode(&t, message));
}

static void certificate_edit(struct dc_node *node, struct dc_byzantine_part *part,
                             const struct dc_input *in, struct dc_effects *out)
{
    for (uint32_t i = 0; i < out->count; i++) {
        struct dc_effect *e = &out->list[i];
        size_t size = 0;
        const uint8_t *b = dc_byzantine_bytes(e, &size);
        struct dc_byzantine_about about;
        if (b == NULL ||
            (b[0] != DC_MSG_PROPOSAL && b[0] != DC_MSG_SYNC && b[0] != DC_MSG_HANDOVER &&
             b[0] != DC_MSG_TIMEOUT) ||
            !dc_byzantine_acts(part, b, size))
            continue;
        switch (b[0]) {
        case DC_MSG_PROPOSAL:
            if (dc_byzantine_peek(b, size, &about))
                (void)certificate_in_proposal(
                    node, e, b, size, dc_byzantine_turn(part, about.epoch, about.round), out);
            break;
        case DC_MSG_SYNC: certificate_in_sync(e, b, size, part->turn, out); break;
        case DC_MSG_HANDOVER: certificate_in_handover(e, b, size, part->turn, out); break;
        default: certificate_in_timeout(node, e, b, size, out);
        }
    }
}

const struct dc_byzantine_class dc_byzantine_invalid_certificate = {
    .name = "invalid_certificate", .validators_only = true, .edit = certificate_edit};

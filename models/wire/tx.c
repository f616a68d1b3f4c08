#include "models/wire/tx.h"

/* One body per kind, straight-line, written once for each direction.  Canonical: every field has a
 * fixed place, every length is exact, and every value that an enum or a count bounds is checked,
 * so that each byte string is at most one transaction and each transaction one byte string. */

static void tx_write_reg(struct dc_writer *w, const struct dc_tx *t)
{
    dc_write64(w, t->reg.nonce);
    dc_write64(w, t->reg.bond);
    dc_write64(w, t->reg.capacity_bytes);
    dc_write8(w, t->reg.region);
    dc_write(w, t->reg.filler_root.b, 32);
    dc_write16(w, (uint16_t)t->reg.certificate_size);
    dc_write(w, t->reg.certificate, t->reg.certificate_size);
}

static void tx_write_deal(struct dc_writer *w, const struct dc_tx *t)
{
    dc_write64(w, t->deal.nonce);
    dc_write64(w, t->deal.size_bytes);
    dc_write64(w, t->deal.price);
    dc_write32(w, t->deal.node);
    dc_write32(w, t->deal.epochs);
    dc_write(w, t->deal.root.b, 32);
    dc_write(w, t->deal.node_signature, 64);
}

static void tx_write_meter(struct dc_writer *w, const struct dc_tx *t)
{
    dc_write64(w, t->meter.nonce);
    dc_write64(w, t->meter.paid_bytes);
    dc_write32(w, t->meter.deal);
}

static void tx_write_receipt(struct dc_writer *w, const struct dc_tx *t)
{
    dc_write64(w, t->receipt.epoch);
    dc_write64(w, t->receipt.paid);
    dc_write32(w, t->receipt.node);
    dc_write32(w, t->receipt.sent);
    dc_write32(w, t->receipt.ok);
    dc_write32(w, t->receipt.timely);
    dc_write(w, t->receipt.node_signature, 64);
}

static void tx_write_verdict(struct dc_writer *w, const struct dc_tx *t)
{
    dc_write64(w, t->verdict.height);
    dc_write32(w, t->verdict.node);
    dc_write32(w, t->verdict.response_us);
    dc_write8(w, t->verdict.verdict);
    dc_write8(w, t->verdict.asking);
    dc_write8(w, t->verdict.proved);
    dc_write(w, t->verdict.binding, 16);
}

static void tx_write_sized(struct dc_writer *w, const uint8_t *bytes, uint32_t size)
{
    dc_write32(w, size);
    dc_write(w, bytes, size);
}

static void tx_write_call(struct dc_writer *w, const struct dc_tx *t)
{
    dc_write64(w, t->call.nonce);
    dc_write64(w, t->call.fee);
    dc_write32(w, t->call.contract);
    dc_write8(w, t->call.kind);
    dc_write8(w, t->call.method);
    tx_write_sized(w, t->call.body, t->call.size);
}

static void tx_write_registrar(struct dc_writer *w, const struct dc_tx *t)
{
    dc_write64(w, t->registrar.nonce);
    dc_write8(w, t->registrar.certificate != NULL);
    if (t->registrar.certificate != NULL)
        dc_write(w, t->registrar.certificate, DC_REGISTRAR_CERTIFICATE_BYTES);
    else
        dc_write64(w, t->registrar.revoked);
}

static void tx_write_body(struct dc_writer *w, const struct dc_tx *t)
{
    switch (t->kind) {
    case DC_TX_TRANSFER:
        dc_write64(w, t->transfer.nonce);
        dc_write64(w, t->transfer.amount);
        dc_write64(w, t->transfer.fee);
        dc_write32(w, t->transfer.to);
        break;
    case DC_TX_BOND:
    case DC_TX_UNBOND:
        dc_write64(w, t->bond.nonce);
        dc_write64(w, t->bond.amount);
        dc_write8(w, t->bond.lock_tier);
        break;
    case DC_TX_REGISTER:
    case DC_TX_RENEW: tx_write_reg(w, t); break;
    case DC_TX_REVOKE:
        dc_write64(w, t->revoke.nonce);
        dc_write64(w, t->revoke.serial);
        if (t->from == DC_REGISTRAR)
            dc_write64(w, t->revoke.registrar);
        break;
    case DC_TX_DEAL: tx_write_deal(w, t); break;
    case DC_TX_RECEIPT: tx_write_receipt(w, t); break;
    case DC_TX_HEARTBEAT:
        dc_write64(w, t->heartbeat.height);
        dc_write(w, t->heartbeat.proof, 8);
        break;
    case DC_TX_VERDICT: tx_write_verdict(w, t); break;
    case DC_TX_ANSWER:
        dc_write64(w, t->answer.height);
        tx_write_sized(w, t->answer.proof, t->answer.proof_size);
        break;
    case DC_TX_EVIDENCE:
        dc_write8(w, t->evidence.kind);
        dc_write32(w, t->evidence.accused);
        tx_write_sized(w, t->evidence.proof, t->evidence.proof_size);
        break;
    case DC_TX_VOTES:
        dc_write64(w, t->votes.height);
        tx_write_sized(w, t->votes.votes, t->votes.votes_size);
        break;
    case DC_TX_METER: tx_write_meter(w, t); break;
    case DC_TX_SHIELD:
        dc_write64(w, t->shield.nonce);
        dc_write64(w, t->shield.amount);
        dc_write64(w, t->shield.fee);
        dc_write(w, t->shield.address, DC_NOTE_ADDRESS_BYTES);
        break;
    case DC_TX_SHIELDED: tx_write_sized(w, t->shielded.body, t->shielded.size); break;
    case DC_TX_CALL: tx_write_call(w, t); break;
    case DC_TX_GRANT:
        dc_write64(w, t->grant.nonce);
        dc_write64(w, t->grant.amount);
        dc_write32(w, t->grant.to);
        break;
    case DC_TX_BEACON:
        dc_write64(w, t->beacon.height);
        dc_write(w, t->beacon.share, DC_BEACON_SHARE_BYTES);
        break;
    case DC_TX_REGISTRAR: tx_write_registrar(w, t); break;
    default: w->failed = true;
    }
}

size_t dc_tx_encode_unsigned(const struct dc_tx *tx, uint8_t *out, size_t out_max)
{
    struct dc_writer w = dc_writer(out, out_max);
    dc_write8(&w, tx->kind);
    dc_write32(&w, tx->from);
    tx_write_body(&w, tx);
    return w.failed ? 0 : w.size;
}

static void tx_read_reg(struct dc_reader *r, struct dc_tx *t)
{
    t->reg.nonce = dc_read64(r);
    t->reg.bond = dc_read64(r);
    t->reg.capacity_bytes = dc_read64(r);
    t->reg.region = dc_read8(r);
    dc_read(r, t->reg.filler_root.b, 32);
    t->reg.certificate_size = dc_read16(r);
    t->reg.certificate = dc_read_in_place(r, t->reg.certificate_size);
}

static void tx_read_deal(struct dc_reader *r, struct dc_tx *t)
{
    t->deal.nonce = dc_read64(r);
    t->deal.size_bytes = dc_read64(r);
    t->deal.price = dc_read64(r);
    t->deal.node = dc_read32(r);
    t->deal.epochs = dc_read32(r);
    dc_read(r, t->deal.root.b, 32);
    t->deal.node_signature = dc_read_in_place(r, 64);
}

static void tx_read_meter(struct dc_reader *r, struct dc_tx *t)
{
    t->meter.nonce = dc_read64(r);
    t->meter.paid_bytes = dc_read64(r);
    t->meter.deal = dc_read32(r);
}

static void tx_read_receipt(struct dc_reader *r, struct dc_tx *t)
{
    t->receipt.epoch = dc_read64(r);
    t->receipt.paid = dc_read64(r);
    t->receipt.node = dc_read32(r);
    t->receipt.sent = dc_read32(r);
    t->receipt.ok = dc_read32(r);
    t->receipt.timely = dc_read32(r);
    t->receipt.node_signature = dc_read_in_place(r, 64);
    if (t->receipt.timely > t->receipt.ok || t->receipt.ok > t->receipt.sent)
        r->failed = true;
}

static void tx_read_verdict(struct dc_reader *r, struct dc_tx *t)
{
    t->verdict.height = dc_read64(r);
    t->verdict.node = dc_read32(r);
    t->verdict.response_us = dc_read32(r);
    t->verdict.verdict = dc_read8(r);
    t->verdict.asking = dc_read8(r);
    t->verdict.proved = dc_read8(r);
    dc_read(r, t->verdict.binding, 16);
    if (t->verdict.verdict < DC_TX_VERDICT_MIN || t->verdict.verdict > DC_TX_VERDICT_MAX ||
        t->verdict.asking < 1 || t->verdict.asking > 2)
        r->failed = true;
}

static const uint8_t *tx_read_sized(struct dc_reader *r, uint32_t *size)
{
    *size = dc_read32(r);
    if (*size > DC_TX_BYTES_MAX)
        r->failed = true;
    return dc_read_in_place(r, *size);
}

static void tx_read_evidence(struct dc_reader *r, struct dc_tx *t)
{
    t->evidence.kind = dc_read8(r);
    t->evidence.accused = dc_read32(r);
    t->evidence.proof = tx_read_sized(r, &t->evidence.proof_size);
    bool conflict =
        t->evidence.kind == DC_EVIDENCE_PROPOSALS || t->evidence.kind == DC_EVIDENCE_VOTES;
    uint64_t epoch, round;
    if (r->failed || (!conflict && t->evidence.kind != DC_EVIDENCE_ANSWER) ||
        (conflict && !dc_evidence_when(t->evidence.kind, t->evidence.proof, t->evidence.proof_size,
                                       &epoch, &round)))
        r->failed = true;
}

static void tx_read_votes(struct dc_reader *r, struct dc_tx *t)
{
    t->votes.height = dc_read64(r);
    t->votes.votes = tx_read_sized(r, &t->votes.votes_size);
    if (r->failed || t->votes.votes_size == 0 || t->votes.votes_size % DC_LATE_VOTE_BYTES != 0) {
        r->failed = true;
        return;
    }
    for (uint32_t i = DC_LATE_VOTE_BYTES; i < t->votes.votes_size; i += DC_LATE_VOTE_BYTES)
        if (dc_get16(t->votes.votes + i) <= dc_get16(t->votes.votes + i - DC_LATE_VOTE_BYTES))
            r->failed = true;
}

/* Who is not named has no nonce and pays no fee. */
static void tx_read_call(struct dc_reader *r, struct dc_tx *t)
{
    t->call.nonce = dc_read64(r);
    t->call.fee = dc_read64(r);
    t->call.contract = dc_read32(r);
    t->call.kind = dc_read8(r);
    t->call.method = dc_read8(r);
    t->call.body = tx_read_sized(r, &t->call.size);
    if (t->from == DC_NOBODY && (t->call.nonce != 0 || t->call.fee != 0))
        r->failed = true;
}

static void tx_read_registrar(struct dc_reader *r, struct dc_tx *t)
{
    t->registrar.nonce = dc_read64(r);
    uint8_t lists = dc_read8(r);
    if (lists != 0)
        t->registrar.certificate = dc_read_in_place(r, DC_REGISTRAR_CERTIFICATE_BYTES);
    else
        t->registrar.revoked = dc_read64(r);
    if (lists > 1 || t->from != DC_NOBODY)
        r->failed = true;
}

static void tx_read_body(struct dc_reader *r, struct dc_tx *t)
{
    switch (t->kind) {
    case DC_TX_TRANSFER:
        t->transfer.nonce = dc_read64(r);
        t->transfer.amount = dc_read64(r);
        t->transfer.fee = dc_read64(r);
        t->transfer.to = dc_read32(r);
        break;
    case DC_TX_BOND:
    case DC_TX_UNBOND:
        t->bond.nonce = dc_read64(r);
        t->bond.amount = dc_read64(r);
        t->bond.lock_tier = dc_read8(r);
        if (t->bond.lock_tier > 3)
            r->failed = true;
        break;
    case DC_TX_REGISTER:
    case DC_TX_RENEW: tx_read_reg(r, t); break;
    case DC_TX_REVOKE:
        t->revoke.nonce = dc_read64(r);
        t->revoke.serial = dc_read64(r);
        if (t->from == DC_REGISTRAR)
            t->revoke.registrar = dc_read64(r);
        if (t->from == DC_REGISTRAR && t->revoke.registrar == 0)
            r->failed = true;
        break;
    case DC_TX_DEAL: tx_read_deal(r, t); break;
    case DC_TX_RECEIPT: tx_read_receipt(r, t); break;
    case DC_TX_HEARTBEAT:
        t->heartbeat.height = dc_read64(r);
        dc_read(r, t->heartbeat.proof, 8);
        break;
    case DC_TX_VERDICT: tx_read_verdict(r, t); break;
    case DC_TX_ANSWER:
        t->answer.height = dc_read64(r);
        t->answer.proof = tx_read_sized(r, &t->answer.proof_size);
        break;
    case DC_TX_EVIDENCE: tx_read_evidence(r, t); break;
    case DC_TX_VOTES: tx_read_votes(r, t); break;
    case DC_TX_METER: tx_read_meter(r, t); break;
    case DC_TX_SHIELD:
        t->shield.nonce = dc_read64(r);
        t->shield.amount = dc_read64(r);
        t->shield.fee = dc_read64(r);
        t->shield.address = dc_read_in_place(r, DC_NOTE_ADDRESS_BYTES);
        break;
    case DC_TX_SHIELDED:
        t->shielded.body = tx_read_sized(r, &t->shielded.size);
        if (t->from != DC_NOBODY)
            r->failed = true;
        break;
    case DC_TX_CALL: tx_read_call(r, t); break;
    case DC_TX_GRANT:
        t->grant.nonce = dc_read64(r);
        t->grant.amount = dc_read64(r);
        t->grant.to = dc_read32(r);
        if (t->from != DC_NOBODY)
            r->failed = true;
        break;
    case DC_TX_BEACON:
        t->beacon.height = dc_read64(r);
        t->beacon.share = dc_read_in_place(r, DC_BEACON_SHARE_BYTES);
        break;
    case DC_TX_REGISTRAR: tx_read_registrar(r, t); break;
    default: r->failed = true;
    }
}

bool dc_tx_decode(const uint8_t *bytes, size_t size, struct dc_tx *out)
{
    memset(out, 0, sizeof *out);
    if (size > DC_TX_BYTES_MAX)
        return false;
    struct dc_reader r = dc_reader(bytes, size);
    out->kind = dc_read8(&r);
    out->from = dc_read32(&r);
    tx_read_body(&r, out);
    if (dc_tx_signed(out))
        out->signature = dc_read_in_place(&r, DC_SIGNATURE_BYTES);
    return dc_read_done(&r);
}

struct dc_hash dc_tx_digest(uint64_t chain, const uint8_t *bytes, size_t size_before_signature)
{
    struct dc_hasher h;
    dc_hasher_init(&h, DC_DOMAIN_TX);
    dc_hasher_update64(&h, chain);
    dc_hasher_update(&h, bytes, size_before_signature);
    return dc_hasher_final(&h);
}

size_t dc_tx_sign(const struct dc_crypto *crypto, uint64_t chain, const struct dc_keypair *key,
                  const struct dc_tx *tx, uint8_t *out, size_t out_max)
{
    size_t size = dc_tx_encode_unsigned(tx, out, out_max);
    if (size == 0 || !dc_tx_signed(tx))
        return size;
    if (out_max - size < DC_SIGNATURE_BYTES)
        return 0;
    struct dc_hash digest = dc_tx_digest(chain, out, size);
    dc_sign(crypto, key, digest.b, sizeof digest.b, out + size);
    return size + DC_SIGNATURE_BYTES;
}

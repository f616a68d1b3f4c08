/* The words that parameters choose from, each with a line: for reading, `list` and the schema. */
#include "sim/scenario/table.h"

const struct ds_choice ds_choices_on[] = {
    {"on", "", 1}, {"off", "", 0}, {"true", "", 1}, {"false", "", 0}, {NULL, NULL, 0}};
const struct ds_choice ds_choices_keep[] = {
    {"all", "every row", 1}, {"none", "not written", 0}, {NULL, NULL, 0}};
const struct ds_choice ds_choices_crypto[] = {
    {"real", "Ed25519 as on a real network", DS_CRYPTO_REAL},
    {"modelled",
     "signatures are keyed hashes of the same size and virtual cost, for very large runs",
     DS_CRYPTO_MODELLED},
    {NULL, NULL, 0}};
const struct ds_choice ds_choices_trigger[] = {
    {"observed", "utilisation of the last settled epoch", DC_TRIGGER_OBSERVED},
    {"forecast", "utilisation forecast for the epoch to come", DC_TRIGGER_FORECAST},
    {"either", "the lower of the two", DC_TRIGGER_EITHER},
    {NULL, NULL, 0}};
const struct ds_choice ds_choices_theta_mode[] = {
    {"level", "theta is a level of utilisation", DC_THETA_LEVEL},
    {"relative", "theta is theta_multiple times the median utilisation of the node's service",
     DC_THETA_RELATIVE},
    {"adaptive", "a controller moves theta so that load_target of the nodes are challenged",
     DC_THETA_ADAPTIVE},
    {NULL, NULL, 0}};
const struct ds_choice ds_choices_component[] = {{"s", "synchronicity", DC_COMPONENT_S},
                                                 {"a", "availability", DC_COMPONENT_A},
                                                 {"u", "utilisation", DC_COMPONENT_U},
                                                 {"q", "quality", DC_COMPONENT_Q},
                                                 {NULL, NULL, 0}};
const struct ds_choice ds_choices_difficulty[] = {
    {"uniform", "k samples for everyone", DC_DIFFICULTY_UNIFORM},
    {"history", "as many as a node's verdicts so far call for", DC_DIFFICULTY_HISTORY},
    {NULL, NULL, 0}};
const struct ds_choice ds_choices_order[] = {
    {"random", "by a draw of the beacon", DC_ORDER_RANDOM},
    {"ucb", "by the upper confidence bound of a failure, times the reward at stake", DC_ORDER_UCB},
    {"oldest", "who was asked longest ago, those never asked first", DC_ORDER_OLDEST},
    {NULL, NULL, 0}};
const struct ds_choice ds_choices_calibration[] = {
    {"proven", "nodes that have passed a challenge and failed none since", DC_CALIBRATION_PROVEN},
    {"all", "all that did not fail in the same epoch", DC_CALIBRATION_ALL},
    {NULL, NULL, 0}};
const struct ds_choice ds_choices_combine[] = {
    {"bonferroni", "a node's least p-value times their number, whatever their dependence",
     DC_COMBINE_BONFERRONI},
    {"fisher", "the product of a node's p-values: more power, for independent detectors",
     DC_COMBINE_FISHER},
    {"by", "Benjamini and Yekutieli: all of a node's p-values by rank, whatever their dependence",
     DC_COMBINE_BY},
    {NULL, NULL, 0}};
const struct ds_choice ds_choices_dissemination[] = {
    {"gossip", "over the overlay: push small, announce and pull large", DC_DISSEMINATION_GOSSIP},
    {"direct", "leader to each member of the committee", DC_DISSEMINATION_DIRECT},
    {NULL, NULL, 0}};
const struct ds_choice ds_choices_state[] = {
    {"full", "everything, as on a machine that was suspended", DS_STATE_FULL},
    {"durable", "what was written before the crash survives, nothing else", DS_STATE_DURABLE},
    {"none", "nothing: amnesia; a validator signs again with a new key alone", DS_STATE_NONE},
    {NULL, NULL, 0}};

const struct ds_choice ds_choices_role[] = {
    {"validator", "stakes, executes blocks, runs Proof of Sync", DS_ROLE_VALIDATOR},
    {"service", "bonds, declares capacity, offers a service", DS_ROLE_SERVICE},
    {"client", "submits transactions and uses services", DS_ROLE_CLIENT},
    {NULL, NULL, 0}};
const struct ds_choice ds_choices_service[] = {
    {"storage", "put and get of chunked objects, proof of retrievability", DS_SERVICE_STORAGE},
    {NULL, NULL, 0}};
const struct ds_choice ds_choices_strategy[] = {
    {"honest", "follows the protocol", DS_STRATEGY_HONEST},
    {"ghost", "service: declares capacity and holds nothing", DS_STRATEGY_GHOST},
    {"partial", "service: partial(f) lacks the fraction f of what it declared",
     DS_STRATEGY_PARTIAL},
    {"stale", "service: answers from old heads of the chain", DS_STRATEGY_STALE},
    {"washer",
     "service: buys its own work to stay above theta; washer(n): n of them in a ring buy each "
     "other's",
     DS_STRATEGY_WASHER},
    {"outsourcer", "service: holds nothing, fetches its answers from an accomplice",
     DS_STRATEGY_OUTSOURCER},
    {"sybil", "service: sybil(n) is n identities on one machine with one copy of what they hold",
     DS_STRATEGY_SYBIL},
    {"burst", "service: burst(s) is honest until its score reaches s, then a ghost",
     DS_STRATEGY_BURST},
    {"rational", "service: takes over what pays best, as the group's `rational` says",
     DS_STRATEGY_RATIONAL},
    {"silent", "validator: never proposes or votes", DS_STRATEGY_SILENT},
    {"equivocating", "validator: signs two of everything", DS_STRATEGY_EQUIVOCATING},
    {"lying", "validator: its verdicts are the opposite of what it saw", DS_STRATEGY_LYING},
    {"inflator", "client: its private payments make money from nothing", DS_STRATEGY_INFLATOR},
    {"forger", "client: its private payments are signed without the note's key",
     DS_STRATEGY_FORGER},
    {"double_spender", "client: pays privately twice with the same notes",
     DS_STRATEGY_DOUBLE_SPENDER},
    {"replayer", "client: sends final private payments again", DS_STRATEGY_REPLAYER},
    {NULL, NULL, 0}};
const struct ds_choice ds_choices_fault[] = {
    {"crash", "nodes stop, and restart with what `state` says", DS_FAULT_CRASH},
    {"pause", "nodes do nothing for a while: messages and timers wait", DS_FAULT_PAUSE},
    {"slow_cpu", "work takes longer on a selection of nodes", DS_FAULT_SLOW_CPU},
    {"disk", "writes are lost, torn, undone or refused", DS_FAULT_DISK},
    {"clock", "clocks are ahead or behind, run fast or slow, or stand still", DS_FAULT_CLOCK},
    {"link", "latency, loss, order, bytes or bandwidth of a selection of links changes",
     DS_FAULT_LINK},
    {"clog", "messages are held back, and released at the end", DS_FAULT_CLOG},
    {"partition", "groups of nodes cannot reach one another", DS_FAULT_PARTITION},
    {"isolate", "each of the nodes reaches nobody", DS_FAULT_ISOLATE},
    {"one_way", "messages from src to dst are lost, those back are not", DS_FAULT_ONE_WAY},
    {"bridge", "groups reach one another through a few nodes alone", DS_FAULT_BRIDGE},
    {"ring", "each node reaches a majority of them, no two the same one", DS_FAULT_RING},
    {"eclipse", "nodes reach their attackers alone", DS_FAULT_ECLIPSE},
    {"asynchrony", "every message takes as long as drawn, in any order, until the end",
     DS_FAULT_ASYNCHRONY},
    {"churn", "nodes leave and come back, by distributions or a trace", DS_FAULT_CHURN},
    {"exit", "nodes unbond what they have, and leave", DS_FAULT_EXIT},
    {"join", "nodes are not there before a time", DS_FAULT_JOIN},
    {"byzantine", "validators deviate from the protocol", DS_FAULT_BYZANTINE},
    {"grief", "what challenged nodes send is delayed, so that they answer late", DS_FAULT_GRIEF},
    {"mitm", "between two nodes somebody takes their messages and answers with keys of its own",
     DS_FAULT_MITM},
    {"revoke", "the registrar revokes the certificates of nodes", DS_FAULT_REVOKE},
    {NULL, NULL, 0}};
const struct ds_choice ds_choices_application[] = {
    {"auction", "sealed bids: the highest wins, the others stay sealed", DS_APPLICATION_AUCTION},
    {"escrow", "pays when enough members approve; who did stays hidden", DS_APPLICATION_ESCROW},
    {"rating", "of a service node, by customers that nobody can name", DS_APPLICATION_RATING},
    {"usage", "encrypted reports whose total alone is decrypted, by the key holders",
     DS_APPLICATION_USAGE},
    {"inference", "a node computes a linear model on inputs that it cannot read",
     DS_APPLICATION_INFERENCE},
    {"training", "a node adds up gradients that it cannot read, round after round",
     DS_APPLICATION_TRAINING},
    {NULL, NULL, 0}};
const struct ds_choice ds_choices_disk[] = {
    {"lost_fsync", "what is written meanwhile is gone after a crash in that time",
     DS_DISK_LOST_FSYNC},
    {"torn_write", "the node dies in its next write, of which half is there", DS_DISK_TORN_WRITE},
    {"stale_snapshot", "at the end the node starts again from its disk as it was at the beginning",
     DS_DISK_STALE_SNAPSHOT},
    {"full", "the node dies in its next write, and is back at the end", DS_DISK_FULL},
    {NULL, NULL, 0}};
const struct ds_choice ds_choices_behaviour[] = {
    {"equivocate", "two votes and two proposals of each round, to different peers",
     DS_BEHAVIOUR_EQUIVOCATE},
    {"twins", "two instances of one identity, one of them talking to the victims alone",
     DS_BEHAVIOUR_TWINS},
    {"withhold_votes", "sends no vote", DS_BEHAVIOUR_WITHHOLD_VOTES},
    {"withhold_blocks", "proposes nothing", DS_BEHAVIOUR_WITHHOLD_BLOCKS},
    {"withhold_vrf", "proposes only where the beacon that comes of it suits it",
     DS_BEHAVIOUR_WITHHOLD_VRF},
    {"selective", "sends nothing of consensus to the victims", DS_BEHAVIOUR_SELECTIVE},
    {"delay", "sends everything later", DS_BEHAVIOUR_DELAY},
    {"invalid_block", "proposes blocks that do not follow from their parents",
     DS_BEHAVIOUR_INVALID_BLOCK},
    {"invalid_signature", "signs wrongly", DS_BEHAVIOUR_INVALID_SIGNATURE},
    {"invalid_certificate", "sends certificates that do not hold",
     DS_BEHAVIOUR_INVALID_CERTIFICATE},
    {"replay", "sends old messages again", DS_BEHAVIOUR_REPLAY},
    {"censor", "leaves the victims' transactions out", DS_BEHAVIOUR_CENSOR},
    {"spam", "floods others with well-formed rubbish", DS_BEHAVIOUR_SPAM},
    {"double_verdict", "sends two verdicts on one challenge", DS_BEHAVIOUR_DOUBLE_VERDICT},
    {"collude", "the nodes act as one to fork the chain", DS_BEHAVIOUR_COLLUDE},
    {NULL, NULL, 0}};
/* Bits 1 << enum dc_message, and after them the overlay's own; names as in the tables of results. */
const struct ds_choice ds_choices_message[] = {{"all", "every kind", UINT32_MAX},
                                               {"proposal", "", 1u << 1},
                                               {"vote", "", 1u << 2},
                                               {"timeout", "", 1u << 3},
                                               {"sync", "", 1u << 4},
                                               {"handover", "", 1u << 5},
                                               {"block_request", "", 1u << 6},
                                               {"block_reply", "", 1u << 7},
                                               {"tx", "", 1u << 8},
                                               {"challenge", "", 1u << 9},
                                               {"answer", "", 1u << 10},
                                               {"put", "", 1u << 11},
                                               {"put_reply", "", 1u << 12},
                                               {"get", "", 1u << 13},
                                               {"get_reply", "", 1u << 14},
                                               {"receipt", "", 1u << 15},
                                               {"receipt_reply", "", 1u << 16},
                                               {"fetch", "", 1u << 17},
                                               {"fetch_reply", "", 1u << 18},
                                               {"epoch_request", "", 1u << 21},
                                               {"epoch_reply", "", 1u << 22},
                                               {"state_request", "", 1u << 23},
                                               {"state_reply", "", 1u << 24},
                                               {"handshake", "", 1u << 25},
                                               {"frame", "", 1u << 26},
                                               {"app", "", 1u << 27},
                                               {"holder", "", 1u << 28},
                                               {"announce", "", 1u << 30},
                                               {"pull", "", 1u << 31},
                                               {NULL, NULL, 0}};
const struct ds_choice ds_choices_generate[] = {
    {"k_regular", "every vertex has k neighbours, drawn at random", DS_GENERATE_K_REGULAR},
    {"watts_strogatz", "a ring of k neighbours, rewired with probability p",
     DS_GENERATE_WATTS_STROGATZ},
    {"barabasi_albert", "preferential attachment of m edges per new vertex",
     DS_GENERATE_BARABASI_ALBERT},
    {"erdos_renyi", "every edge with probability p", DS_GENERATE_ERDOS_RENYI},
    {"geometric", "points of the unit square closer than radius", DS_GENERATE_GEOMETRIC},
    {NULL, NULL, 0}};
const struct ds_choice ds_choices_channels[] = {
    {"open", "links are taken as open already: no handshake, 16 bytes for a tag, no work",
     DS_CHANNELS_OPEN},
    {"charged", "handshakes are real; of frames the bytes and the work are charged",
     DS_CHANNELS_CHARGED},
    {"real", "every frame is sealed and opened", DS_CHANNELS_REAL},
    {NULL, NULL, 0}};
const struct ds_choice ds_choices_overlay[] = {
    {"k_regular", "every node has `degree` neighbours, drawn at random", DS_GENERATE_K_REGULAR},
    {"watts_strogatz", "a ring of `degree` neighbours, rewired with probability p",
     DS_GENERATE_WATTS_STROGATZ},
    {"barabasi_albert", "preferential attachment of `degree` edges per node",
     DS_GENERATE_BARABASI_ALBERT},
    {"erdos_renyi", "edges at random, `degree` on average", DS_GENERATE_ERDOS_RENYI},
    {NULL, NULL, 0}};
const struct ds_choice ds_choices_detector[] = {
    {"ewma", "EWMA z-score of a node over time", DC_DETECTOR_EWMA},
    {"mad", "robust z (median, MAD) over the population", DC_DETECTOR_MAD},
    {"cusum", "two-sided cumulative sums of a node over time", DC_DETECTOR_CUSUM},
    {"iforest", "isolation forest over the population", DC_DETECTOR_IFOREST},
    {"hst", "streaming half-space trees over the population", DC_DETECTOR_HST},
    {"twin", "response times that run together, against the same ones with epochs permuted",
     DC_DETECTOR_TWIN},
    {"circle", "income from within a circle of payments, against payments with payers permuted",
     DC_DETECTOR_CIRCLE},
    {NULL, NULL, 0}};

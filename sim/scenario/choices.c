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
    {"durable", "what was written before the crash survives, nothing else", DS_STATE_DURABLE},
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
    {NULL, NULL, 0}};
const struct ds_choice ds_choices_fault[] = {
    {"crash", "nodes stop, and restart from their durable state", DS_FAULT_CRASH},
    {"partition", "groups of nodes cannot reach one another", DS_FAULT_PARTITION},
    {"link", "latency, loss or bandwidth of a selection of links changes", DS_FAULT_LINK},
    {"slow_cpu", "work takes longer on a selection of nodes", DS_FAULT_SLOW_CPU},
    {"grief", "what challenged nodes send is delayed, so that they answer late", DS_FAULT_GRIEF},
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

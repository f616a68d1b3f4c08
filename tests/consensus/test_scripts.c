/* Runs tests/consensus/scripts/<name>.txt: a command, dashes, the effects expected, a blank
 * line.  They read as the protocol's documentation.  DESTRA_REWRITE=1 writes what happens into the
 * files instead of comparing (and then somebody has to read it).
 *
 *   net validators 4 delay 10ms interval 100ms epoch 100 [followers 1] [twins 1] [rotate] [manual]
 *   start                      every machine
 *   run 100ms [only commits]   events of so much time; only lines with one of these verbs
 *   deliver 1 -> 2 [votes]     (manual) what account 1 sent to machine 2 and still waits; * is any;
 *   drop 1 -> 2 [votes]        proposals votes timeouts syncs handovers requests replies
 *   tick 3 40ms                (manual) the clock of machine 3
 *   crash 2 / restart 2 / cut 2 / heal 2
 *   state 2                    where a machine stands
 *
 * A block is named B<epoch>.<round>, a seal S<epoch>.<round>, a twin's block has a prime. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "tests/consensus/net.h"
#include "tests/support/harness.h"

struct script {
    struct net *net;
    char *out; /* of the current command */
    size_t out_size, out_max;
    const char *only;
};

static void emit(struct script *s, const char *line)
{
    size_t n = strlen(line) + 1;
    while (s->out_size + n + 1 > s->out_max) {
        s->out_max = s->out_max == 0 ? 4096 : 2 * s->out_max;
        s->out = realloc(s->out, s->out_max);
        CU_ASSERT_PTR_NOT_NULL_FATAL(s->out);
    }
    memcpy(s->out + s->out_size, line, n - 1);
    s->out_size += n;
    s->out[s->out_size - 1] = '\n';
    s->out[s->out_size] = '\0';
}

static struct script *current;

static bool wanted(const char *only, const char *line)
{
    char words[128], *save = NULL;
    if (only == NULL)
        return true;
    snprintf(words, sizeof words, "%s", only);
    const char *verb = strchr(line, ' ') + 1;
    for (char *w = strtok_r(words, " ", &save); w != NULL; w = strtok_r(NULL, " ", &save))
        if (strncmp(verb, w, strlen(w)) == 0)
            return true;
    return false;
}

static void log_line(struct net *net, const char *line)
{
    char text[320];
    if (!wanted(current->only, line))
        return;
    if (net->manual)
        snprintf(text, sizeof text, "%s", line);
    else
        snprintf(text, sizeof text, "%.10g ms: %s", (double)net->now_ns / 1e6, line);
    emit(current, text);
}

static int64_t span(const char *word)
{
    char *unit;
    double v = strtod(word, &unit);
    return (int64_t)(v * (strcmp(unit, "s") == 0 ? 1e9 : strcmp(unit, "ms") == 0 ? 1e6 : 1e3));
}

static uint32_t machine(const char *word)
{
    return strcmp(word, "*") == 0 ? UINT32_MAX : (uint32_t)strtoul(word, NULL, 10);
}

static uint32_t kind(const char *word)
{
    static const char *const name[] = {"",      "proposals", "votes",    "timeouts",
                                       "syncs", "handovers", "requests", "replies"};
    for (uint32_t i = 1; word != NULL && i < 8; i++)
        if (strcmp(word, name[i]) == 0)
            return i;
    return 0;
}

static void open_net(struct script *s, char **word, int count)
{
    struct net_config c = {
        .seed = 1, .epoch_blocks = 100, .validators = 4, .suite = DC_SUITE_MODELLED};
    bool manual = false;
    for (int i = 1; i < count; i++) {
        const char *v = i + 1 < count ? word[i + 1] : "";
        if (strcmp(word[i], "validators") == 0)
            c.validators = machine(v);
        else if (strcmp(word[i], "twins") == 0)
            c.twins = machine(v);
        else if (strcmp(word[i], "followers") == 0)
            c.followers = machine(v);
        else if (strcmp(word[i], "delay") == 0)
            c.delay_ns = span(v);
        else if (strcmp(word[i], "interval") == 0)
            c.block_interval_ns = span(v);
        else if (strcmp(word[i], "epoch") == 0)
            c.epoch_blocks = machine(v);
        else if (strcmp(word[i], "rotate") == 0)
            c.rotate = true;
        else if (strcmp(word[i], "manual") == 0)
            manual = true;
    }
    s->net = net_create(&c);
    s->net->log = log_line;
    s->net->manual = manual;
}

static void show_state(struct script *s, uint32_t i)
{
    const struct net_machine *m = &s->net->machine[i];
    const struct dc_follow *f = net_chain(s->net, i);
    char line[160];
    snprintf(line, sizeof line,
             "%u: epoch %llu, round %llu, last voted %llu, highest QC %llu, final height %llu", i,
             (unsigned long long)f->epoch,
             (unsigned long long)(m->validator ? m->core.durable.round : f->round_seen + 1),
             (unsigned long long)(m->validator ? m->core.durable.last_voted_round : 0),
             (unsigned long long)(f->high_qc != NULL ? f->high_qc->round : 0),
             (unsigned long long)f->final->header.height);
    emit(s, line);
}

static void command(struct script *s, char *line)
{
    char *word[24] = {NULL}, *save = NULL;
    int count = 0;
    char *only = strstr(line, " only ");
    if (only != NULL) {
        *only = '\0';
        only += 6;
    }
    s->only = only;
    for (char *w = strtok_r(line, " ", &save); w != NULL && count < 24;
         w = strtok_r(NULL, " ", &save))
        word[count++] = w;
    CU_ASSERT_FATAL(count > 0);
    const char *verb = word[0];
    uint32_t at = count > 1 ? machine(word[1]) : 0;
    if (strcmp(verb, "net") == 0) {
        open_net(s, word, count);
        return;
    }
    CU_ASSERT_PTR_NOT_NULL_FATAL(s->net);
    if (strcmp(verb, "start") == 0)
        net_start(s->net);
    else if (strcmp(verb, "run") == 0 && count > 1)
        net_run(s->net, span(word[1]));
    else if ((strcmp(verb, "deliver") == 0 || strcmp(verb, "drop") == 0) && count > 3)
        (void)net_deliver(s->net, at, machine(word[3]), kind(count > 4 ? word[4] : NULL),
                          verb[1] == 'r');
    else if (strcmp(verb, "tick") == 0 && count > 2)
        for (uint32_t i = 0; i < s->net->machines; i++) {
            if (at == UINT32_MAX || at == i)
                net_tick(s->net, i, span(word[2]));
        }
    else if (strcmp(verb, "crash") == 0)
        net_crash(s->net, at);
    else if (strcmp(verb, "restart") == 0)
        net_restart(s->net, at);
    else if (strcmp(verb, "cut") == 0)
        s->net->machine[at].group = 1;
    else if (strcmp(verb, "heal") == 0)
        s->net->machine[at].group = 0;
    else if (strcmp(verb, "state") == 0)
        show_state(s, at);
    else
        CU_FAIL_FATAL("unknown command in a script");
}

static char *slurp(const char *path)
{
    FILE *f = fopen(path, "rb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    char *text = calloc(1, 1 << 20);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    size_t n = fread(text, 1, (1 << 20) - 1, f);
    CU_ASSERT(n > 0);
    fclose(f);
    return text;
}

/* Runs a script; appends what it should have been to *made. */
static int run_script(const char *path, FILE *made)
{
    struct script s = {0};
    current = &s;
    char *text = slurp(path), *p = text;
    int wrong = 0, commands = 0;
    while (*p != '\0') {
        char *end = strchr(p, '\n');
        CU_ASSERT_PTR_NOT_NULL_FATAL(end);
        *end = '\0';
        fprintf(made, "%s\n", p);
        if (*p == '#' || *p == '\0') {
            p = end + 1;
            continue;
        }
        char what[256];
        snprintf(what, sizeof what, "%s", p);
        s.out_size = 0;
        emit(&s, "----");
        command(&s, p);
        commands++;
        fprintf(made, "%s\n", s.out);
        p = end + 1;
        char *expected = p, *blank = strstr(p, "\n\n");
        if (strncmp(p, "----\n", 5) != 0) { /* being written */
            wrong++;
            p += *p == '\n';
            continue;
        }
        CU_ASSERT_PTR_NOT_NULL_FATAL(blank);
        blank[1] = '\0';
        p = blank + 2;
        if (strcmp(expected, s.out) != 0) {
            wrong++;
            fprintf(stderr, "%s: %s\nexpected\n%sgot\n%s", path, what, expected, s.out);
        }
    }
    if (s.net != NULL) {
        wrong += s.net->conflicts != 0;
        net_free(s.net);
    }
    free(s.out);
    free(text);
    return commands == 0 ? 1 : wrong;
}

static void test_scripts(void)
{
    const char *folder = DESTRA_SOURCE "/tests/consensus/scripts";
    DIR *dir = opendir(folder);
    CU_ASSERT_PTR_NOT_NULL_FATAL(dir);
    int scripts = 0;
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        size_t n = strlen(e->d_name);
        if (n < 5 || strcmp(e->d_name + n - 4, ".txt") != 0)
            continue;
        char path[1024], *made = NULL;
        size_t made_size = 0;
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        FILE *f = open_memstream(&made, &made_size);
        int wrong = run_script(path, f);
        fclose(f);
        scripts++;
        if (getenv("DESTRA_REWRITE") != NULL) {
            f = fopen(path, "wb");
            CU_ASSERT_PTR_NOT_NULL_FATAL(f);
            CU_ASSERT_EQUAL(fwrite(made, 1, made_size, f), made_size);
            fclose(f);
        } else {
            CU_ASSERT_EQUAL(wrong, 0);
        }
        free(made);
    }
    closedir(dir);
    CU_ASSERT(scripts >= 6);
}

int main(void)
{
    static const struct test_case cases[] = {{"scripts", test_scripts}};
    return TEST_MAIN("consensus/scripts", cases);
}

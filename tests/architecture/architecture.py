"""The drawing in sim/README.md, as a test.

CMake does not see an include that points the wrong way, because all folders share one include
root; no compiler objects to a second clock.  This reads the C files of models/, sim/ and analysis/
as text: comments, strings and preprocessor lines are told apart, the rest is cut into tokens and
top-level declarations.  No compiler and no build is needed.

    architecture.py ROOT        prints PATH:LINE: RULE: what; exit code 1 when there is any
    architecture.py ROOT sizes  what is longer than the aims (70 lines, 500 lines); never fails

Exceptions stand in allowed.txt beside this file, each with its reason; one that nothing needs any
more is reported too.
"""
import os
import re
import sys

# ---- the drawing: folder -> folders whose headers it may include, itself always ------------------

BASE = ["models/base"]
CODEC = BASE + ["models/crypto", "models/wire"]
STATE = CODEC + ["models/posync", "models/privacy", "models/ledger"]
PARTS = STATE + ["models/anomaly", "models/consensus", "models/service", "models/foundation",
                 "models/client"]
PROTOCOL = PARTS + ["models/node", "models/adversary"]
WORLD_PARTS = ["sim/kernel", "sim/net", "sim/fault", "sim/workload", "sim/scenario", "sim/record",
               "sim/check"]

ARROWS = {
    "models/base": [],
    "models/crypto": BASE,
    "models/wire": BASE + ["models/crypto"],
    "models/anomaly": BASE + ["models/crypto"],  # its digest enters the state root
    "models/posync": CODEC + ["models/anomaly"],
    "models/privacy": BASE + ["models/crypto"],
    "models/ledger": CODEC + ["models/posync", "models/anomaly", "models/privacy"],
    "models/consensus": STATE,
    "models/service": STATE,
    "models/foundation": STATE,
    "models/client": STATE + ["models/service", "models/consensus"],
    "models/node": PARTS,
    "models/adversary": PARTS + ["models/node"],
    "sim/kernel": BASE,
    "sim/net": BASE,
    "sim/workload": BASE,
    # checks the traces that a scenario names; a study is of analysis/study.h
    "sim/scenario": BASE + ["sim/workload", "analysis"],
    # the digest of a file's content; a study's file
    "sim/record": BASE + ["models/crypto", "analysis"],
    "sim/fault": BASE + ["sim/scenario"],
    "sim/check": BASE + ["models/crypto", "sim/scenario"],
    "sim/world": PROTOCOL + WORLD_PARTS,
    # the program: sim/main.c and one file per subcommand
    "sim": PROTOCOL + WORLD_PARTS + ["sim/world", "analysis"],
    "analysis": BASE,
}

# ---- who may include a library's header, and call it ------------------------------------------

PRINTERS = r"sim/(main|cmd_\w+|progress)\.[ch]"
LIBRARIES = [  # header, where
    (r"sodium.*|decaf.*", r"models/crypto/.*"),
    (r"hdf5.*|H5.*", r"sim/record/.*|analysis/read\w*\.[ch]"),
    (r"igraph.*", r"sim/net/.*"),
    (r"gsl/.*", r"(sim/workload|analysis)/.*"),
    (r"libfyaml.*", r"sim/scenario/.*"),
    (r"omp\.h", r"sim/.*"),
    (r"time\.h|sys/time\.h", PRINTERS),
    (r"assert\.h", r"nowhere: DC_CHECK is never compiled out"),
    (r"malloc\.h|alloca\.h", r"models/base/mem\.c|analysis/read_rehearse\.c"),
    # a model has no world of its own
    (r"unistd\.h|sys/.*|netinet/.*|arpa/.*|pthread\.h|threads\.h|signal\.h|fcntl\.h|locale\.h|poll\.h",
     r"(sim|analysis)/.*"),
]

# name of the rule, names (whole identifiers), where they are allowed, any use or calls only
BANNED = [
    ("memory", r"malloc|calloc|realloc|reallocarray|free|aligned_alloc|posix_memalign|memalign"
               r"|valloc|alloca|strdup|strndup|asprintf|vasprintf|getline|getdelim|open_memstream"
               r"|mmap|munmap|sbrk",
     r"models/base/mem\.c", "passed"),
    ("clock", r"time|clock|clock_gettime|clock_getres|gettimeofday|ftime|timespec_get|localtime"
              r"|localtime_r|gmtime|gmtime_r|mktime|strftime|omp_get_wtime|nanosleep|usleep|sleep",
     PRINTERS, "called"),
    ("entropy", r"rand|srand|rand_r|random|srandom|random_r|[deljmn]rand48|arc4random\w*|getrandom"
                r"|getentropy|randombytes_\w+|crypto_(?!\w*_seed_keypair)\w+_(keypair|keygen|random)",
     r"nowhere: draws come from dc_stream", "called"),
    ("HDF5", r"H5[A-Z]\w*", r"sim/record/.*|analysis/read\w*\.[ch]", "used"),
    ("igraph", r"igraph_\w+", r"sim/net/.*", "used"),
    ("GSL", r"gsl_\w+", r"(sim/workload|analysis)/.*", "used"),
    ("libfyaml", r"fy_\w+", r"sim/scenario/.*", "used"),
    ("sodium", r"sodium_\w+|crypto_\w+|decaf_\w+", r"models/crypto/.*", "called"),
    ("printing", r"printf|vprintf|puts|putchar|putchar_unlocked|perror|psignal|dprintf|vdprintf",
     PRINTERS, "called"),
    ("printing", r"stdout|stderr", PRINTERS + r"|models/base/(status|mem)\.c", "used"),
    ("ending", r"exit|_exit|_Exit|quick_exit|abort|raise|longjmp|siglongjmp",
     PRINTERS + r"|models/base/(status|mem)\.c|analysis/read_rehearse\.c", "called"),
    ("environment", r"getenv|secure_getenv|setenv|putenv|setlocale|getcwd|gethostname|getpid|getppid",
     PRINTERS, "called"),
]

PREFIX = {"models": "dc_", "sim": "ds_", "analysis": "da_"}

# ---- reading C -------------------------------------------------------------------------------

LEXICAL = re.compile(
    r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.S)
TOKEN = re.compile(r"[A-Za-z_]\w*|\d[\w.]*|->|\.\.\.|[^\s\w]")


def blank(text):
    return re.sub(r"[^\n]", " ", text)


# Headers that only their own folder may include, and that may therefore leave the prefix out.
PRIVATE = r".*/inside\.h|sim/world/(?!(?:world|twins)\.h).*\.h"


def private(path):
    return re.fullmatch(PRIVATE, path) is not None


class Source:
    """One file: `code` without comments and strings (same lines), `tokens` of it without
    preprocessor lines as (text, line), `macros` those of preprocessor lines, `includes`."""

    def __init__(self, root, path):
        self.path = path
        with open(os.path.join(root, path), encoding="utf-8") as f:
            self.text = f.read()
        self.comments = []

        def strip(match):
            s = match.group()
            if s.startswith("/"):
                self.comments.append((self.text.count("\n", 0, match.start()) + 1, s))
                return blank(s)
            return s[0] + blank(s[1:-1]) + s[-1]

        self.code = LEXICAL.sub(strip, self.text)
        self.includes = []
        self.tokens, self.macros = [], []
        lines, kept = self.text.split("\n"), self.code.split("\n")
        continued = False
        for i, line in enumerate(kept):
            directive = continued or line.lstrip().startswith("#")
            continued = directive and line.rstrip().endswith("\\")
            out = self.macros if directive else self.tokens
            m = re.match(r"\s*#\s*include\s*([<\"])([^>\"]+)", lines[i])
            if m and directive:
                self.includes.append((i + 1, m.group(1) == '"', m.group(2)))
                continue
            out.extend((t, i + 1) for t in TOKEN.findall(line))

    def declarations(self):
        """Top-level declarations as lists of tokens; braces and what is in them kept, a function's
        body ends one."""
        now, depth, result = [], 0, []
        for i, (t, line) in enumerate(self.tokens):
            now.append((t, line))
            if t in "{([":
                depth += 1
            elif t in "})]":
                depth -= 1
            if depth == 0 and (t == ";" or (t == "}" and is_function(now))):
                result.append(now)
                now = []
        return result


def is_function(tokens):
    """Is it a definition of a function: a parenthesis closes right before the first brace, and no
    = comes before?"""
    depth = 0
    for i, (t, _) in enumerate(tokens):
        if depth == 0 and t in ("=", ";"):
            return False
        if depth == 0 and t == "{":
            return i > 0 and tokens[i - 1][0] == ")"
        if t in "([{":
            depth += 1
        elif t in ")]}":
            depth -= 1
    return False


def outside(tokens, opening="([{", closing=")]}"):
    """The tokens of a declaration that are in no bracket, and before its initialiser."""
    depth, result = 0, []
    for t, line in tokens:
        if depth == 0 and t == "=":
            break
        if t in closing:
            depth -= 1
        if depth == 0:
            result.append((t, line))
        if t in opening:
            depth += 1
    return result


def strip_attributes(tokens):
    result, i = [], 0
    while i < len(tokens):
        if tokens[i][0] in ("__attribute__", "_Alignas", "DC_PRINTF", "_Static_assert", "__asm__"):
            depth, i = 0, i + 1
            while i < len(tokens):
                depth += (tokens[i][0] == "(") - (tokens[i][0] == ")")
                i += 1
                if depth == 0:
                    break
        else:
            result.append(tokens[i])
            i += 1
    return result


def declarators(tokens):
    """A variable declaration's declarators (split at top-level commas), each with the specifiers."""
    parts, now, depth = [], [], 0
    for t in tokens:
        if depth == 0 and t[0] in (",", ";"):
            parts.append(now)
            now = []
            continue
        depth += (t[0] in "([{") - (t[0] in ")]}")
        now.append(t)
    if now:
        parts.append(now)
    return [p for p in parts if p]


def variable_is_const(declarator, specifiers_const):
    """Is the object itself constant (not only what it points to)?"""
    words = []
    for t, _ in declarator:
        if t == "=":
            break
        words.append(t)
    # a pointer to a function: what counts is inside its own parentheses
    for i in range(len(words) - 1):
        if words[i] == "(" and words[i + 1] == "*":
            return "const" in words[i + 1:words.index(")", i)]
    if "*" in words:
        last = len(words) - 1 - words[::-1].index("*")
        return "const" in words[last:]
    return specifiers_const or "const" in words


def variable_name(declarator):
    words = []
    for t, _ in declarator:
        if t in ("=", "["):
            break
        words.append(t)
    if "(" in words:
        inner = words[words.index("(") + 1:words.index(")")]
        words = [w for w in inner if w not in ("*", "const")]
    names = [w for w in words if re.match(r"[A-Za-z_]\w*$", w)]
    return names[-1] if names else "?"


# ---- the rules ----------------------------------------------------------------------------------

class Check:
    def __init__(self, root, arrows=None):
        self.root = root
        self.arrows = ARROWS if arrows is None else arrows
        self.found = []
        paths = []
        for top in PREFIX:
            for folder, folders, files in os.walk(os.path.join(root, top)):
                folders.sort()
                paths += [os.path.relpath(os.path.join(folder, f), root)
                          for f in sorted(files) if f.endswith((".c", ".h"))]
        self.sources = {p: Source(root, p) for p in paths}

    def report(self, path, line, rule, what, name=""):
        self.found.append((path, line, rule, name, what))

    def run(self):
        for s in self.sources.values():
            self.folder(s)
            self.opening(s)
            self.guard(s)
            self.include_lines(s)
            self.banned(s)
            self.variables(s)
            self.names(s)
            self.leftovers(s)
        self.header_circles()
        self.folder_circles()
        self.cmake()
        return sorted(set(self.found))

    def folder(self, s):
        if os.path.dirname(s.path) not in self.arrows:
            self.report(s.path, 1, "folder", "is in a folder that is not on the drawing")

    def opening(self, s):
        """A comment first, or right after the includes; a .c file may leave it to its own header."""
        if re.match(r'(?:#include [^\n]*\n|\n)*/\*', s.text):
            return
        if not (s.path.endswith(".c") and s.path[:-1] + "h" in self.sources):
            self.report(s.path, 1, "opening", "does not open with a comment that says its idea")

    def guard(self, s):
        if not s.path.endswith(".h"):
            return
        name = re.sub(r"[/.]", "_", s.path).upper()
        m = re.search(r"#ifndef (\w+)\n#define (\w+)\n", s.code)
        if not m or m.group(1) != name or m.group(2) != name:
            self.report(s.path, 1, "guard", f"wants the include guard {name}")

    def include_lines(self, s):
        here = os.path.dirname(s.path)
        for line, own, name in s.includes:
            if own and not re.match(r"(models|sim|analysis)/", name):
                self.report(s.path, line, "include", f'"{name}" is not a path from the root', name)
            elif own:
                there = os.path.dirname(name)
                if there != here and there not in self.arrows.get(here, []):
                    self.report(s.path, line, "arrow", f"{here} -> {there} ({name})", there)
                if name not in self.sources and not os.path.exists(
                        os.path.join(self.root, name + ".in")):
                    self.report(s.path, line, "include", f"{name} does not exist", name)
                if private(name) and there != here:
                    self.report(s.path, line, "include", f"{name} is for {there} alone", name)
                if name.endswith(".c"):
                    self.report(s.path, line, "include", f"{name} is not a header", name)
            else:
                for pattern, where in LIBRARIES:
                    if re.fullmatch(pattern, name) and not re.fullmatch(where, s.path):
                        self.report(s.path, line, "header", f"<{name}> is for {where}", name)

    def banned(self, s):
        for tokens in (s.tokens, s.macros):
            for i, (t, line) in enumerate(tokens):
                if not re.match(r"[A-Za-z_]", t):
                    continue
                before = tokens[i - 1][0] if i > 0 else ""
                after = tokens[i + 1][0] if i + 1 < len(tokens) else ""
                if before in (".", "->"):
                    continue
                for rule, names, where, how in BANNED:
                    if re.fullmatch(where, s.path) or not re.fullmatch(names, t):
                        continue
                    called = after == "("
                    passed = before in "=(,?:&" and before and after in ",);:"
                    if how == "used" or called or (how == "passed" and passed):
                        self.report(s.path, line, rule, f"{t} is for {where}", t)

    def variables(self, s):
        """Mutable variables at file scope, and static ones within functions."""
        for d in s.declarations():
            if is_function(d):
                self.static_locals(s, d)
                continue
            flat = [t for t, _ in outside(strip_attributes(d))]
            if not flat or flat == [";"] or "typedef" in flat or "extern" in flat:
                continue
            plain = strip_attributes(d)
            if self.is_prototype(plain) or self.is_type_only(plain):
                continue
            self.judge_variable(s, plain)

    def static_locals(self, s, d):
        i = 0
        while i < len(d):
            if d[i][0] == "static" and i > 0 and any(t == "{" for t, _ in d[:i]):
                depth, end = 0, i
                while end < len(d) and not (depth == 0 and d[end][0] == ";"):
                    depth += (d[end][0] in "([{") - (d[end][0] in ")]}")
                    end += 1
                self.judge_variable(s, strip_attributes(d[i:end + 1]))
                i = end
            i += 1

    def judge_variable(self, s, plain):
        parts = declarators(plain)
        first = parts[0]
        cut = next((i for i, (t, _) in enumerate(first) if t in ("*", "=", "[")), len(first))
        constant = "const" in [t for t, _ in outside(first[:cut])]
        for n, part in enumerate(parts):
            body = part
            if "{" in [t for t, _ in part[:cut]]:  # struct {...} name
                body = outside(part)
                body = [x for x in body if x[0] not in "{}"]
            if not variable_is_const(body, constant):
                name = variable_name(body)
                self.report(s.path, part[-1][1] if n else first[0][1], "mutable",
                            f"{name} is a variable of the whole program", name)

    @staticmethod
    def is_prototype(tokens):
        names = outside(tokens)
        words = [t for t, _ in names]
        for i, w in enumerate(words):
            if w == "(":
                # a function's name comes right before its parenthesis; (*f)(...) is a variable
                return i > 0 and re.match(r"[A-Za-z_]\w*$", words[i - 1]) is not None \
                    and words[i - 1] not in KEYWORDS and not pointer_follows(tokens, i, names)
        return False

    @staticmethod
    def is_type_only(tokens):
        words = [t for t, _ in outside(tokens)]
        if words[0] not in ("struct", "enum", "union"):
            return False
        return words[-2:] == ["}", ";"] or len(words) == 3  # struct x {...}; struct x;

    def names(self, s):
        top = s.path.split("/")[0]
        for d in s.declarations():
            words = strip_attributes(d)
            flat = outside(words)
            texts = [t for t, _ in flat]
            if "(" not in texts or "typedef" in texts:
                continue
            if not (is_function(d) or self.is_prototype(words)):
                continue
            at = texts.index("(")
            name = texts[at - 1]
            if "static" in texts[:at] or name == "main":
                continue
            # within its folder a module may leave the prefix out: world_send in inside.h
            inside = private(s.path) or s.path.endswith(".c")
            if not name.startswith(PREFIX[top]) and not (
                    inside and name.startswith(s.path.split("/")[-2] + "_")):
                self.report(s.path, flat[at - 1][1], "name",
                            f"{name} is exported and does not begin with {PREFIX[top]}", name)

    def leftovers(self, s):
        for line, comment in s.comments:
            m = re.search(r"\b(TODO|FIXME|XXX|HACK)\b", comment)
            if m:
                self.report(s.path, line, "leftover", m.group() + " in a comment", m.group())

    def header_circles(self):
        graph = {p: [(n, line) for line, own, n in s.includes if own and n in self.sources]
                 for p, s in self.sources.items() if p.endswith(".h")}
        self.circles(graph, "circle")

    def folder_circles(self):
        graph = {}
        for p, s in self.sources.items():
            here = os.path.dirname(p)
            for line, own, name in s.includes:
                there = os.path.dirname(name)
                if own and there != here:
                    graph.setdefault(here, {}).setdefault(there, (p, line))
        edges = {a: [(b, 0) for b in sorted(bs)] for a, bs in graph.items()}
        for circle in find_circles(edges):
            p, line = graph[circle[0]][circle[1]]
            self.report(p, line, "circle", "folders " + " -> ".join(circle), circle[0])

    def circles(self, graph, rule):
        for circle in find_circles(graph):
            line = next(line for n, line in graph[circle[0]] if n == circle[1])
            self.report(circle[0], line, rule, " -> ".join(circle), circle[1])

    def cmake(self):
        """What CMake links is on the drawing too."""
        path = os.path.join(self.root, "CMakeLists.txt")
        if not os.path.exists(path):
            return
        with open(path, encoding="utf-8") as f:
            text = f.read()
        for m in re.finditer(r"^destra_library\(([^)]*)\)", text, re.M):
            words = m.group(1).split()
            line = text.count("\n", 0, m.start()) + 1
            depends = []
            for w in words[1:]:
                if w == "LINK":
                    break
                if w != "DEPENDS":
                    depends.append(w)
            if words[0] not in self.arrows:
                self.report("CMakeLists.txt", line, "folder", f"{words[0]} is not on the drawing")
                continue
            for d in depends:
                if d not in self.arrows[words[0]]:
                    self.report("CMakeLists.txt", line, "arrow", f"{words[0]} -> {d}", d)


KEYWORDS = {"int", "void", "char", "double", "float", "long", "short", "unsigned", "signed", "bool",
            "const", "static", "inline"}


def pointer_follows(tokens, at, names):
    """Is the token after the at-th outside token's parenthesis a *: int (*f)(void)?"""
    line_token = names[at]
    for i, t in enumerate(tokens):
        if t is line_token:
            return i + 1 < len(tokens) and tokens[i + 1][0] == "*"
    return False


def find_circles(graph):
    """One circle for each back edge of a depth-first search."""
    state, result, stack = {}, [], []

    def visit(node):
        state[node] = 1
        stack.append(node)
        for other, _ in graph.get(node, []):
            if state.get(other) == 1:
                result.append(stack[stack.index(other):] + [other])
            elif other not in state:
                visit(other)
        stack.pop()
        state[node] = 2

    for node in sorted(graph):
        if node not in state:
            visit(node)
    return result


# ---- exceptions and output ------------------------------------------------------------------------

def read_allowed(path):
    """Lines RULE PATH NAME reason...; # begins a comment."""
    allowed = {}
    with open(path, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            words = line.split("#")[0].split(None, 3)
            if not words:
                continue
            if len(words) < 4:
                sys.exit(f"{path}:{number}: wants RULE PATH NAME and a reason")
            allowed[tuple(words[:3])] = number
    return allowed


def judge(found, allowed, allowed_name):
    """The violations that are left, and the exceptions that nothing needs, as lines."""
    lines, used = [], set()
    for path, line, rule, name, what in found:
        key = (rule, path, name)
        if key in allowed:
            used.add(key)
        else:
            lines.append(f"{path}:{line}: {rule}: {what}")
    for key, number in allowed.items():
        if key not in used:
            lines.append(f"{allowed_name}:{number}: stale: nothing needs " + " ".join(key))
    return lines


def sizes(check):
    for s in check.sources.values():
        count = s.text.count("\n")
        if count > 500:
            print(f"{s.path}:1: {count} lines")
        for i, line in enumerate(s.text.split("\n"), 1):
            if len(line) > 100:
                print(f"{s.path}:{i}: {len(line)} columns")
        for d in s.declarations():
            if is_function(d) and d[-1][1] - d[0][1] + 1 > 70:
                texts = [t for t, _ in outside(d)]
                print(f"{s.path}:{d[0][1]}: {texts[texts.index('(') - 1]} has "
                      f"{d[-1][1] - d[0][1] + 1} lines")


def main():
    root = sys.argv[1]
    check = Check(root)
    if len(sys.argv) > 2 and sys.argv[2] == "sizes":
        sizes(check)
        return 0
    if not check.sources:
        sys.exit(f"{root}: no C files below models/, sim/ and analysis/")
    allowed_name = os.path.join(os.path.dirname(os.path.abspath(__file__)), "allowed.txt")
    lines = judge(check.run(), read_allowed(allowed_name), allowed_name)
    for line in lines:
        print(line)
    print(f"{len(check.sources)} files, {len(lines)} violations")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())

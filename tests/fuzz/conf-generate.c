/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/fuzz/conf-generate.h"

#include <string.h>

#define MAX_LINES 14
#define MAX_DEPTH 3

struct maker {
	GRand *rand;
	GString *text;
	int depth;
};

static const char *const names[] = {
	"PACKAGE_NAME",
	"PACKAGE_VERSION",
	"MAKE",
	"MAKE_MATCH",
	"CLEAN",
	"PRE_BUILD",
	"POST_INSTALL",
	"BUILT_MODULE_NAME",
	"DEST_MODULE_NAME",
	"PATCH",
	"BUILD_DEPENDS",
	"STRIP",
	"AUTOINSTALL",
	"build_exclude",
	"A",
	"B",
	"N",
	"LIST",
};

static const char *const readable[] = {
	"kernelver",
	"arch",
	"kernel_source_dir",
	"PACKAGE_NAME",
	"dkms_tree",
	"module",
	"module_version",
	"parallel_jobs",
	"PACKAGE_VERSION",
	"MAKE",
	"A",
	"B",
	"N",
	"LIST",
	"UNSET",
};

static const char *const chunks[] = {
	"make", "foo", "-C",  "M=x", "6.1.0",	"a",	     "b",  "/", ".",
	"-",	"_",   ":",   ",",   "=",	"+",	     "%",  "@", "^",
	"0",	"16",  "yes", "no",  "modules", "\xc3\xa9",  "{}", "}", "]",
	"#x",	"x#",  "!",   "x~",  ":~",	"dkms.conf",
};

/* Inside quotes anything goes. */
static const char *const quoted_chunks[] = {
	" ", "  ", "\t", "\n", " \n ",	"*", "?", "[a]", "(",	")",	   "<", ">",
	"&", "|",  ";",	 "~",  "{a,b}", "#", "!", "\r",	 "a b", "-j4 V=1", "'",
};

static const char *const patterns[] = {"*",  "?",  "*.", ".*",	"-*", "*-", "6.*",
				       "*/", "/*", "a",	 "x*y", "??", "",   "*.*"};

static const char *const expressions[] = {
	"-rt-",	 "\"-rt-\"", "^6",	   "amd64$",	     "^(5|6)\\.1", "[0-9]+",
	"'6.1'", "\"6?1\"",  "$kernelver", "\"$kernelver\"", "$A",	   "\"$A\"",
	"a",	 ".",	     "a+b*",	   "(a)|(b)",
};

static const char *const rest[] = {
	"export A=$B\n",
	"unset A\n",
	"true && A=1\n",
	"if true; then B=2; fi\n",
	"A=$((1+2))\n",
	"LIST[$N]=x\n",
	"for N in 1 2; do A+=$N; done\n",
	"f() { A=f; }\nf\n",
	"A=${B//a/b}\n",
	"A=${B^^}\n",
	"A=$(echo two words)\n",
	"LIST=($A *.none)\n",
	"case $A in *) B=any ;; esac\n",
	"A=$'x\\ty'\n",
	"declare A=1\n",
	"echo $A\n",
	"[ -d / ] && A=dir\n",
	"A=1 true\n",
};

static guint upto(struct maker *maker, guint n)
{
	return (guint)g_rand_int_range(maker->rand, 0, (gint32)n);
}

static gboolean one_in(struct maker *maker, guint n)
{
	return upto(maker, n) == 0;
}

#define PICK(maker, list) ((list)[upto(maker, G_N_ELEMENTS(list))])

static void put(struct maker *maker, const char *text)
{
	g_string_append(maker->text, text);
}

static void put_format(struct maker *maker, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void put_format(struct maker *maker, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	g_string_append_vprintf(maker->text, format, args);
	va_end(args);
}

static void put_pieces(struct maker *maker, gboolean quoted, guint max);

static void put_index(struct maker *maker)
{
	static const char *const odd[] = {"00", "08", "1 ", "-1", "N", "$N", "@", "*"};

	if (one_in(maker, 30))
		put_format(maker, "[%s]", PICK(maker, odd));
	else
		put_format(maker, "[%u]", upto(maker, 4));
}

/* ${NAME...} */
static void put_braces(struct maker *maker, gboolean quoted)
{
	static const char *const trims[] = {"#", "##", "%", "%%"};
	static const char *const defaults[] = {":-", "-", ":+", "+"};

	put_format(maker, "${%s", PICK(maker, readable));
	if (one_in(maker, 4))
		put_index(maker);
	switch (upto(maker, 5)) {
	case 0:
		put_format(maker, "%s%s", PICK(maker, trims), PICK(maker, patterns));
		break;
	case 1:
	case 2:
		put(maker, PICK(maker, defaults));
		if (maker->depth < MAX_DEPTH) {
			maker->depth++;
			put_pieces(maker, quoted, 3);
			maker->depth--;
		}
		break;
	default:
		break;
	}
	put(maker, "}");
}

static void put_expansion(struct maker *maker, gboolean quoted)
{
	static const char *const commands[] = {"$(nproc)",    "`nproc`",    "$(uname -r)",
					       "`uname -m`",  "$(arch)",    "$(uname -m)",
					       "$(echo a b)", "`echo \\$A`"};
	static const char *const bare[] = {"$", "$ ", "$/", "$.", "$=", "$%", "$,"};

	switch (upto(maker, 12)) {
	case 0:
		put(maker, PICK(maker, commands));
		break;
	case 1:
		put(maker, PICK(maker, bare));
		break;
	case 2:
	case 3:
	case 4:
	case 5:
		put_format(maker, "$%s", PICK(maker, readable));
		break;
	default:
		put_braces(maker, quoted);
	}
}

static void put_escape(struct maker *maker)
{
	static const char *const escapes[] = {
		"\\$",	  "\\\"",	  "\\\\", "\\'", "\\`",	  "\\ ",
		"\\\n",	  "\\.",	  "\\*",  "\\a", "\\\\$", "\\\\\"",
		"\\${A}", "\\$kernelver", "\\#",  "\\;", "\\(",	  "\\~"};

	put(maker, PICK(maker, escapes));
}

static void put_quoted_piece(struct maker *maker)
{
	switch (upto(maker, 8)) {
	case 0:
	case 1:
		put(maker, PICK(maker, quoted_chunks));
		break;
	case 2:
		put_escape(maker);
		break;
	case 3:
	case 4:
		put_expansion(maker, TRUE);
		break;
	default:
		put(maker, PICK(maker, chunks));
	}
}

static void put_single(struct maker *maker)
{
	static const char *const single[] = {
		"$kernelver", "${A:-b}", "\\",	 "\\$A", "\"",	     "`nproc`", "$(",
		" ",	      "a",	 "\\\\", "make", "$(nproc)", "\"a b\"", "\"a\""};

	put(maker, "'");
	for (guint n = upto(maker, 4); n > 0; n--)
		put(maker, PICK(maker, single));
	put(maker, "'");
}

static void put_pieces(struct maker *maker, gboolean quoted, guint max)
{
	for (guint n = upto(maker, max + 1); n > 0; n--) {
		if (quoted) {
			put_quoted_piece(maker);
			continue;
		}
		switch (upto(maker, 7)) {
		case 0:
			put_single(maker);
			break;
		case 1:
		case 2:
			put(maker, "\"");
			put_pieces(maker, TRUE, 5);
			put(maker, "\"");
			break;
		case 3:
			put_expansion(maker, FALSE);
			break;
		case 4:
			put_escape(maker);
			break;
		default:
			put(maker, PICK(maker, chunks));
		}
	}
}

/* Most values are one pair of quotes. */
static void put_value(struct maker *maker)
{
	if (one_in(maker, 3)) {
		put_pieces(maker, FALSE, 4);
		return;
	}
	put(maker, "\"");
	put_pieces(maker, TRUE, 6);
	put(maker, "\"");
}

static void put_list(struct maker *maker)
{
	static const char *const between[] = {" ", "  ", "\n", "\t", " # c\n", " \\\n"};

	put(maker, "(");
	for (guint n = upto(maker, 4); n > 0; n--) {
		put_value(maker);
		put(maker, PICK(maker, between));
	}
	put(maker, ")");
}

static void put_assignment(struct maker *maker)
{
	gboolean indexed = one_in(maker, 3);

	put(maker, PICK(maker, names));
	if (indexed)
		put_index(maker);
	put(maker, one_in(maker, 7) ? "+=" : "=");
	if (!indexed && one_in(maker, 10))
		put_list(maker);
	else
		put_value(maker);
}

static void put_operand(struct maker *maker)
{
	switch (upto(maker, 5)) {
	case 0:
		put_format(maker, "%u", upto(maker, 40));
		break;
	case 1:
		put_format(maker, "$%s", PICK(maker, readable));
		break;
	case 2:
		put_format(maker, "\"$%s\"", PICK(maker, readable));
		break;
	case 3:
		put_value(maker);
		break;
	default:
		put(maker, PICK(maker, chunks));
	}
}

static void put_condition(struct maker *maker)
{
	static const char *const ops[] = {"-eq", "-ne", "-lt", "-le", "-gt",
					  "-ge", "=",	"==",  "!="};
	gboolean twice = one_in(maker, 2);

	put(maker, twice ? "[[ " : "[ ");
	if (twice && one_in(maker, 3)) {
		put_operand(maker);
		put_format(maker, " =~ %s", PICK(maker, expressions));
	} else if (one_in(maker, 4)) {
		put(maker, one_in(maker, 2) ? "-z " : "-n ");
		put_operand(maker);
	} else {
		put_operand(maker);
		put_format(maker, " %s ", PICK(maker, ops));
		put_operand(maker);
	}
	put(maker, twice ? " ]] " : " ] ");
	put(maker, one_in(maker, 4) ? "|| " : "&& ");
}

static void put_line_end(struct maker *maker)
{
	static const char *const ends[] = {"; ", ";\n", " # comment\n", " \n",	"\n\n",
					   "\t", " ",	" ;",		"\n  ", "\n\t"};

	put(maker, one_in(maker, 4) ? PICK(maker, ends) : "\n");
}

static void put_line(struct maker *maker)
{
	switch (upto(maker, 40)) {
	case 0:
		put(maker, PICK(maker, rest));
		return;
	case 1:
		put(maker, "# it's a \"comment\" $(\n");
		return;
	case 2:
		put(maker, "export ");
		break;
	case 3:
	case 4:
	case 5:
		put_condition(maker);
		break;
	default:
		break;
	}
	put_assignment(maker);
	put_line_end(maker);
}

/* One byte that the grammar would not have there. */
static void spoil(struct maker *maker)
{
	static const char bytes[] = " \t\n\r\"'\\$`{}[]()#=+&|;~!*?<>a0-";
	gsize at = upto(maker, (guint)maker->text->len);

	switch (upto(maker, 3)) {
	case 0:
		g_string_erase(maker->text, (gssize)at, 1);
		break;
	case 1:
		maker->text->str[at] = bytes[upto(maker, sizeof(bytes) - 1)];
		break;
	default:
		g_string_insert_c(maker->text, (gssize)at,
				  bytes[upto(maker, sizeof(bytes) - 1)]);
	}
}

static void add_carriage_returns(GString *text)
{
	for (gsize i = 0; i < text->len; i++) {
		if (text->str[i] == '\n')
			g_string_insert_c(text, (gssize)i++, '\r');
	}
}

char *conf_generate(guint32 seed)
{
	struct maker maker = {.rand = g_rand_new_with_seed(seed),
			      .text = g_string_new(NULL)};

	for (guint n = 1 + upto(&maker, MAX_LINES); n > 0; n--)
		put_line(&maker);
	if (one_in(&maker, 8) && maker.text->len)
		spoil(&maker);
	if (one_in(&maker, 12))
		add_carriage_returns(maker.text);
	if (one_in(&maker, 10))
		g_string_truncate(maker.text, strcspn(maker.text->str, "\n"));
	g_rand_free(maker.rand);
	return g_string_free(maker.text, FALSE);
}

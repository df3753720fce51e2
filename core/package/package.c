/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See package.h. */
#include "core/package/package.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "core/record/text-array.h"
#include "core/support/error.h"

static const char *const kinds[] = {
	[KS_PACKAGE_PREBUILT] = "prebuilt",
	[KS_PACKAGE_SOURCE] = "source",
};

/* --- making */

static void file_free(gpointer data)
{
	struct ks_package_file *file = data;

	g_free(file->dest);
	g_free(file->sha256);
	g_free(file->source);
	g_free(file);
}

static void link_free(gpointer data)
{
	struct ks_package_link *link = data;

	g_free(link->dest);
	g_free(link->target);
	g_free(link);
}

static void dir_free(gpointer data)
{
	struct ks_package_dir *dir = data;

	g_free(dir->dest);
	g_free(dir);
}

static void package_init(struct ks_package *package)
{
	package->files = g_ptr_array_new_with_free_func(file_free);
	package->links = g_ptr_array_new_with_free_func(link_free);
	package->dirs = g_ptr_array_new_with_free_func(dir_free);
	package->provides = g_ptr_array_new_with_free_func(g_free);
}

static void package_clear(struct ks_package *package)
{
	g_free(package->name);
	g_free(package->version);
	g_free(package->revision);
	g_free(package->module);
	g_free(package->release);
	g_free(package->arch);
	g_free(package->summary);
	g_free(package->description);
	g_free(package->maintainer);
	g_free(package->licence);
	g_clear_pointer(&package->files, g_ptr_array_unref);
	g_clear_pointer(&package->links, g_ptr_array_unref);
	g_clear_pointer(&package->dirs, g_ptr_array_unref);
	g_clear_pointer(&package->provides, g_ptr_array_unref);
}

struct ks_package *ks_package_new(enum ks_package_kind kind)
{
	struct ks_package *package = g_new0(struct ks_package, 1);

	package->kind = kind;
	package->revision = g_strdup("1");
	package_init(package);
	return package;
}

void ks_package_free(struct ks_package *package)
{
	if (!package)
		return;
	package_clear(package);
	g_free(package);
}

void ks_package_add_file(struct ks_package *package, const char *dest, const char *sha256,
			 guint64 size_bytes, unsigned int mode, const char *source)
{
	struct ks_package_file *file = g_new0(struct ks_package_file, 1);

	file->dest = g_strdup(dest);
	file->sha256 = g_strdup(sha256);
	file->size_bytes = size_bytes;
	file->mode = mode;
	file->source = g_strdup(source);
	g_ptr_array_add(package->files, file);
}

void ks_package_add_link(struct ks_package *package, const char *dest, const char *target)
{
	struct ks_package_link *link = g_new0(struct ks_package_link, 1);

	link->dest = g_strdup(dest);
	link->target = g_strdup(target);
	g_ptr_array_add(package->links, link);
}

void ks_package_add_dir(struct ks_package *package, const char *dest, unsigned int mode)
{
	struct ks_package_dir *dir = g_new0(struct ks_package_dir, 1);

	dir->dest = g_strdup(dest);
	dir->mode = mode;
	g_ptr_array_add(package->dirs, dir);
}

/* --- writing */

/* dest is the first member of all three structs. */
static gint compare_dests(gconstpointer a, gconstpointer b)
{
	const char *const *const *left = a, *const *const *right = b;

	return strcmp(**left, **right);
}

static gint compare_strings(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void sort_arrays(struct ks_package *package)
{
	g_ptr_array_sort(package->files, compare_dests);
	g_ptr_array_sort(package->links, compare_dests);
	g_ptr_array_sort(package->dirs, compare_dests);
	g_ptr_array_sort(package->provides, compare_strings);
}

static void append_contents(GString *out, const struct ks_package *package)
{
	for (guint i = 0; i < package->dirs->len; i++) {
		const struct ks_package_dir *dir = g_ptr_array_index(package->dirs, i);

		g_string_append(out, "dir=");
		ks_text_append_escaped(out, dir->dest, true);
		g_string_append_printf(out, " %o\n", dir->mode);
	}
	for (guint i = 0; i < package->files->len; i++) {
		const struct ks_package_file *file = g_ptr_array_index(package->files, i);

		g_string_append(out, "file=");
		ks_text_append_escaped(out, file->dest, true);
		g_string_append_printf(out, " %s %" G_GUINT64_FORMAT " %o ", file->sha256,
				       file->size_bytes, file->mode);
		ks_text_append_escaped(out, file->source, true);
		g_string_append_c(out, '\n');
	}
	for (guint i = 0; i < package->links->len; i++) {
		const struct ks_package_link *link = g_ptr_array_index(package->links, i);

		g_string_append(out, "link=");
		ks_text_append_escaped(out, link->dest, true);
		g_string_append_c(out, ' ');
		ks_text_append_escaped(out, link->target, true);
		g_string_append_c(out, '\n');
	}
}

char *ks_package_format(struct ks_package *package)
{
	GString *out = g_string_new(NULL);

	sort_arrays(package);
	ks_text_append_head(out, "packages", 1);
	ks_text_append_line(out, "name", package->name);
	ks_text_append_line(out, "version", package->version);
	ks_text_append_line(out, "revision", package->revision);
	ks_text_append_line(out, "kind", kinds[package->kind]);
	ks_text_append_line(out, "module", package->module);
	if (package->release)
		ks_text_append_line(out, "kernel", package->release);
	ks_text_append_line(out, "arch", package->arch);
	ks_text_append_line(out, "summary", package->summary);
	ks_text_append_line(out, "description", package->description);
	ks_text_append_line(out, "maintainer", package->maintainer);
	ks_text_append_line(out, "licence", package->licence);
	g_string_append_printf(out, "mtime=%" G_GINT64_FORMAT "\n", package->mtime);
	append_contents(out, package);
	for (guint i = 0; i < package->provides->len; i++)
		ks_text_append_line(out, "provides",
				    g_ptr_array_index(package->provides, i));
	g_string_append_c(out, '\n');
	return g_string_free(out, FALSE);
}

/* --- reading */

/* A block as it is read: members that are not text in the package are kept beside it. */
struct block {
	struct ks_package package;
	char *kind, *mtime;
};

static void *block_new(void)
{
	struct block *block = g_new0(struct block, 1);

	package_init(&block->package);
	return block;
}

static void block_free(gpointer data)
{
	struct block *block = data;

	package_clear(&block->package);
	g_free(block->kind);
	g_free(block->mtime);
	g_free(block);
}

/* The n words of a value; NULL when it has not exactly n, or no plain path first. */
static char **split_words(const char *value, guint n)
{
	g_auto(GStrv) words = g_new0(char *, n + 1);

	return ks_text_split(value, n, words) && ks_text_is_plain_path(words[0])
		       ? g_steal_pointer(&words)
		       : NULL;
}

static bool parse_mode(const char *text, unsigned int *mode)
{
	uint64_t number;

	if (!ks_text_read_number(text, 8, 0777, &number))
		return false;
	*mode = (unsigned int)number;
	return true;
}

static bool refuse(struct ks_why *why, const char *what)
{
	return ks_why_set(why, "not a '%s' line", what);
}

static bool take_file(void *block, const char *value, struct ks_why *why)
{
	g_auto(GStrv) words = split_words(value, 5);
	unsigned int mode;
	uint64_t size_bytes;

	if (!words || !ks_text_is_sha256(words[1]) || words[4][0] != '/' ||
	    !ks_text_read_number(words[2], 10, INT64_MAX, &size_bytes) ||
	    !parse_mode(words[3], &mode))
		return refuse(why, "file=DEST SHA256 SIZE MODE SOURCE");
	ks_package_add_file(&((struct block *)block)->package, words[0], words[1],
			    size_bytes, mode, words[4]);
	return true;
}

static bool take_link(void *block, const char *value, struct ks_why *why)
{
	g_auto(GStrv) words = split_words(value, 2);

	if (!words)
		return refuse(why, "link=DEST TARGET");
	ks_package_add_link(&((struct block *)block)->package, words[0], words[1]);
	return true;
}

static bool take_dir(void *block, const char *value, struct ks_why *why)
{
	g_auto(GStrv) words = split_words(value, 2);
	unsigned int mode;

	if (!words || !parse_mode(words[1], &mode))
		return refuse(why, "dir=DEST MODE");
	ks_package_add_dir(&((struct block *)block)->package, words[0], mode);
	return true;
}

static bool take_provides(void *block, const char *value, struct ks_why *why)
{
	char *text = ks_text_unescape(value);

	if (!text)
		return refuse(why, "provides=TEXT");
	g_ptr_array_add(((struct block *)block)->package.provides, text);
	return true;
}

#define TEXT(name, required, member)                                                     \
	{                                                                                \
		name, required, offsetof(struct block, member)                           \
	}

static const struct ks_text_key keys[] = {
	TEXT("name", true, package.name),
	TEXT("version", true, package.version),
	TEXT("revision", false, package.revision),
	TEXT("kind", true, kind),
	TEXT("module", true, package.module),
	TEXT("kernel", false, package.release),
	TEXT("arch", true, package.arch),
	TEXT("summary", true, package.summary),
	TEXT("description", true, package.description),
	TEXT("maintainer", true, package.maintainer),
	TEXT("licence", true, package.licence),
	TEXT("mtime", true, mtime),
	{"file", .take = take_file},
	{"link", .take = take_link},
	{"dir", .take = take_dir},
	{"provides", .take = take_provides},
	{NULL},
};

static const struct ks_text_grammar grammar = {"packages", keys, block_new, block_free};

static bool is_word(const char *text)
{
	if (!*text || *text == '-' || *text == '.' || strlen(text) > 255)
		return false;
	for (const char *p = text; *p; p++)
		if (!g_ascii_isalnum(*p) && !strchr("._+~-:@^,=", *p))
			return false;
	return true;
}

static bool is_line(const char *text)
{
	for (const char *p = text; *p; p++)
		if (g_ascii_iscntrl(*p))
			return false;
	return *text != '\0' && g_utf8_validate(text, -1, NULL);
}

static bool is_lines(const char *text)
{
	for (const char *p = text; *p; p++)
		if (g_ascii_iscntrl(*p) && *p != '\n')
			return false;
	return g_utf8_validate(text, -1, NULL);
}

static bool fail(const char *label, GError **error, const char *what)
{
	ks_error_set(error, KS_ERROR_INVALID, "%s: '%s' has no usable value", label,
		     what);
	return false;
}

static bool check_texts(const struct ks_package *package, const char *label,
			GError **error)
{
	const struct {
		const char *name, *value;
		bool (*is_good)(const char *text);
	} texts[] = {
		{"name", package->name, is_word},
		{"version", package->version, is_word},
		{"module", package->module, is_word},
		{"arch", package->arch, is_word},
		{"summary", package->summary, is_line},
		{"maintainer", package->maintainer, is_line},
		{"licence", package->licence, is_line},
		{"description", package->description, is_lines},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
		if (!texts[i].is_good(texts[i].value))
			return fail(label, error, texts[i].name);
	if (!g_ascii_string_to_unsigned(package->revision, 10, 0, G_MAXUINT, NULL, NULL))
		return fail(label, error, "revision");
	if (package->kind == KS_PACKAGE_PREBUILT &&
	    (!package->release || !is_word(package->release)))
		return fail(label, error, "kernel");
	if (package->kind == KS_PACKAGE_SOURCE && package->release)
		return fail(label, error, "kernel");
	return true;
}

static bool add_dests(GHashTable *dests, GPtrArray *array, const char *label,
		      GError **error)
{
	for (guint i = 0; i < array->len; i++) {
		char *dest = *(char **)g_ptr_array_index(array, i);

		if (g_hash_table_add(dests, dest))
			continue;
		ks_error_set(error, KS_ERROR_INVALID, "%s: '%s' appears twice", label,
			     dest);
		return false;
	}
	return true;
}

/* Nothing may lie below a file or a link; leaves holds these. */
static bool check_parents(GHashTable *leaves, GPtrArray *array, const char *label,
			  GError **error)
{
	for (guint i = 0; i < array->len; i++) {
		const char *dest = *(char **)g_ptr_array_index(array, i);

		for (const char *slash = strchr(dest + 1, '/'); slash;
		     slash = strchr(slash + 1, '/')) {
			g_autofree char *parent = g_strndup(dest, (size_t)(slash - dest));

			if (!g_hash_table_contains(leaves, parent))
				continue;
			ks_error_set(error, KS_ERROR_INVALID,
				     "%s: '%s' lies below a file or link", label, dest);
			return false;
		}
	}
	return true;
}

static bool check_contents(const struct ks_package *package, const char *label,
			   GError **error)
{
	g_autoptr(GHashTable) leaves = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GHashTable) dirs = g_hash_table_new(g_str_hash, g_str_equal);

	if (!add_dests(leaves, package->files, label, error) ||
	    !add_dests(leaves, package->links, label, error) ||
	    !add_dests(dirs, package->dirs, label, error))
		return false;
	for (guint i = 0; i < package->dirs->len; i++) {
		const char *dest = *(char **)g_ptr_array_index(package->dirs, i);

		if (!g_hash_table_contains(leaves, dest))
			continue;
		ks_error_set(error, KS_ERROR_INVALID, "%s: '%s' appears twice", label,
			     dest);
		return false;
	}
	return check_parents(leaves, package->files, label, error) &&
	       check_parents(leaves, package->links, label, error) &&
	       check_parents(leaves, package->dirs, label, error);
}

static bool finish_block(struct block *block, const char *label, GError **error)
{
	struct ks_package *package = &block->package;

	if (strcmp(block->kind, kinds[KS_PACKAGE_PREBUILT]) == 0)
		package->kind = KS_PACKAGE_PREBUILT;
	else if (strcmp(block->kind, kinds[KS_PACKAGE_SOURCE]) == 0)
		package->kind = KS_PACKAGE_SOURCE;
	else
		return fail(label, error, "kind");
	/* what every format can hold: 1970 to 2106 */
	if (!g_ascii_string_to_signed(block->mtime, 10, 0, G_MAXUINT32, &package->mtime,
				      NULL))
		return fail(label, error, "mtime");
	if (!package->revision)
		package->revision = g_strdup("1");
	sort_arrays(package);
	return check_texts(package, label, error) &&
	       check_contents(package, label, error);
}

struct ks_package *ks_package_parse(const char *text, size_t size_bytes,
				    const char *label, GError **error)
{
	g_autoptr(GPtrArray) blocks =
		ks_text_read_array(text, size_bytes, label, &grammar, error);
	struct ks_package *package;
	struct block *block;

	if (!blocks)
		return NULL;
	if (blocks->len != 1) {
		ks_error_set(error, KS_ERROR_INVALID, "%s: not exactly one package",
			     label);
		return NULL;
	}
	block = g_ptr_array_index(blocks, 0);
	if (!finish_block(block, label, error))
		return NULL;
	package = g_memdup2(&block->package, sizeof(*package));
	memset(&block->package, 0, sizeof(block->package));
	return package;
}

int ks_package_open_content(const struct ks_package_file *file, GError **error)
{
	struct stat st;
	ks_autofd int fd =
		open(file->source, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) < 0) {
		ks_error_set_errno(error, errno, "cannot read '%s'", file->source);
		return -1;
	}
	if (!S_ISREG(st.st_mode) || (guint64)st.st_size != file->size_bytes) {
		ks_error_set(error, KS_ERROR_INVALID,
			     "'%s' is not the file that was to be packed", file->source);
		return -1;
	}
	return ks_steal_fd(&fd);
}

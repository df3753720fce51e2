/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The error domain, with a hint as GLib's private error data. */
#include "core/support/error.h"

#include <errno.h>

struct ks_error_private {
	char *hint;
};
typedef struct ks_error_private KsErrorPrivate;

static void ks_error_private_init(KsErrorPrivate *priv)
{
	priv->hint = NULL;
}

static void ks_error_private_copy(const KsErrorPrivate *src, KsErrorPrivate *dest)
{
	dest->hint = g_strdup(src->hint);
}

static void ks_error_private_clear(KsErrorPrivate *priv)
{
	g_free(priv->hint);
}

/* Defines ks_error_quark() and ks_error_get_private(). */
G_DEFINE_EXTENDED_ERROR(KsError, ks_error)

void ks_error_set(GError **error, enum ks_error code, const char *format, ...)
{
	va_list args;

	if (!error)
		return;
	va_start(args, format);
	*error = g_error_new_valist(KS_ERROR, code, format, args);
	va_end(args);
}

static enum ks_error code_of_errno(int err)
{
	switch (err) {
	case ENOENT:
	case ENOTDIR:
		return KS_ERROR_NOT_FOUND;
	case EACCES:
	case EPERM:
		return KS_ERROR_DENIED;
	case ENOSPC:
	case EDQUOT:
		return KS_ERROR_NO_SPACE;
	default:
		return KS_ERROR_FAILED;
	}
}

void ks_error_set_errno(GError **error, int err, const char *format, ...)
{
	g_autofree char *message = NULL;
	va_list args;

	if (!error)
		return;
	va_start(args, format);
	message = g_strdup_vprintf(format, args);
	va_end(args);
	ks_error_set(error, code_of_errno(err), "%s: %s", message, g_strerror(err));
}

void ks_error_hint(GError **error, const char *format, ...)
{
	KsErrorPrivate *priv;
	va_list args;

	if (!error || !*error || (*error)->domain != KS_ERROR)
		return;
	priv = ks_error_get_private(*error);
	if (priv->hint)
		return;
	va_start(args, format);
	priv->hint = g_strdup_vprintf(format, args);
	va_end(args);
}

const char *ks_error_get_hint(const GError *error)
{
	if (!error || error->domain != KS_ERROR)
		return NULL;
	return ks_error_get_private(error)->hint;
}

GVariant *ks_error_to_variant(const GError *error)
{
	return g_variant_new("(u^aym^ay)",
			     error->domain == KS_ERROR ? error->code : KS_ERROR_FAILED,
			     error->message, ks_error_get_hint(error));
}

GError *ks_error_from_variant(GVariant *variant)
{
	const char *message, *hint;
	GError *error = NULL;
	guint32 code;

	g_variant_get(variant, "(u^&aym^&ay)", &code, &message, &hint);
	ks_error_set(&error, code, "%s", message);
	if (hint)
		ks_error_hint(&error, "%s", hint);
	return error;
}

#include "daemon/host-program.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/blocking.h"
#include "base/error.h"
#include "base/log.h"

#define OUTPUT_MAX (4 * 1024 * 1024)
#define EXIT_USAGE 2
#define EXIT_DENIED 3

/* systemd gives each service it starts such an id (systemd.exec(5)). */
bool
vgpu_host_program_can_be_apart(void)
{
    return g_getenv("INVOCATION_ID") && g_file_test("/run/systemd/system", G_FILE_TEST_IS_DIR);
}

static const char *
name_of(const VgpuHostProgram *self)
{
    return self->name ? self->name : "virt-vgpu-host";
}

/* Files in memory, not pipes: a child that is left behind must not be killed by SIGPIPE, half
 * through its work, when it tells what it has done. */
static int
make_file(const char *text, GError **error)
{
    int fd = memfd_create("virt-vgpu", MFD_CLOEXEC);
    gsize len = strlen(text);

    if (fd >= 0 && write(fd, text, len) == (ssize_t) len && lseek(fd, 0, SEEK_SET) == 0)
        return fd;
    vgpu_error_errno(error, VGPU_ERROR_FAILED, errno, "cannot make a file in memory");
    if (fd >= 0)
        close(fd);
    return -1;
}

static char *
read_file(int fd)
{
    struct stat st;
    gsize len = fstat(fd, &st) == 0 ? (gsize) MIN(st.st_size, OUTPUT_MAX) : 0;
    g_autofree char *text = g_malloc0(len + 1);

    return pread(fd, text, len, 0) == (ssize_t) len ? g_steal_pointer(&text) : g_strdup("");
}

typedef struct {
    bool is_late;
    bool is_over; /* the wait, whether or not the child is */
} Wait;

static gboolean
on_late(gpointer opaque)
{
    Wait *wait = opaque;

    wait->is_late = true;
    return G_SOURCE_REMOVE;
}

static void
on_wait_over(GObject *child, GAsyncResult *result, gpointer opaque)
{
    Wait *wait = opaque;

    wait->is_over = true;
    if (g_subprocess_wait_finish(G_SUBPROCESS(child), result, NULL))
        wait->is_late = false;
}

/* Whether the child has ended within that time. */
static bool
wait_for(GSubprocess *child, guint timeout_ms)
{
    g_autoptr(GMainContext) context = g_main_context_new();
    g_autoptr(GSource) timer = g_timeout_source_new(timeout_ms);
    g_autoptr(GCancellable) enough = g_cancellable_new();
    Wait wait = { 0 };

    g_main_context_push_thread_default(context);
    g_source_set_callback(timer, on_late, &wait, NULL);
    g_source_attach(timer, context);
    g_subprocess_wait_async(child, enough, on_wait_over, &wait);
    while (!wait.is_over) {
        if (wait.is_late)
            g_cancellable_cancel(enough);
        g_main_context_iteration(context, TRUE);
    }
    g_source_destroy(timer);
    g_main_context_pop_thread_default(context);
    return !wait.is_late;
}

/* The lines that say something; the last one is why it failed, if it did. */
static GPtrArray *
read_complaints(const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    GPtrArray *complaints = g_ptr_array_new_with_free_func(g_free);

    for (char **line = lines; *line; line++) {
        if (*g_strstrip(*line))
            g_ptr_array_add(complaints, g_utf8_make_valid(*line, -1));
    }
    return complaints;
}

static void
log_complaints(const char *name, const char *verb, const GPtrArray *complaints, guint n)
{
    for (guint i = 0; i < n; i++)
        g_message("%s %s: %s", name, verb, (const char *) complaints->pdata[i]);
}

static VgpuError
code_of(int exit_status)
{
    switch (exit_status) {
    case EXIT_USAGE:
        return VGPU_ERROR_BAD_REQUEST;
    case EXIT_DENIED:
        return VGPU_ERROR_DENIED;
    default:
        return VGPU_ERROR_FAILED;
    }
}

/* What the end of the child means. */
static GVariant *
outcome(const VgpuHostProgram *self, GSubprocess *child, const char *verb,
        const GVariantType *type, const char *output, const char *stderr_text, GError **error)
{
    g_autoptr(GPtrArray) complaints = read_complaints(stderr_text);
    g_autoptr(GError) failure = NULL;
    const char *name = name_of(self);
    GVariant *result;

    if (g_subprocess_get_if_signaled(child)) {
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_DRIVER, "%s %s was killed by signal %d: %s",
                    name, verb, g_subprocess_get_term_sig(child),
                    g_strsignal(g_subprocess_get_term_sig(child)));
        return NULL;
    }
    if (g_subprocess_get_exit_status(child) != 0) {
        int status = g_subprocess_get_exit_status(child);

        if (complaints->len) {
            log_complaints(name, verb, complaints, complaints->len - 1);
            g_set_error_literal(error, VGPU_ERROR, (int) code_of(status),
                                complaints->pdata[complaints->len - 1]);
        } else {
            g_set_error(error, VGPU_ERROR, VGPU_ERROR_FAILED,
                        "%s %s failed without a reason (exit status %d)", name, verb, status);
        }
        return NULL;
    }
    log_complaints(name, verb, complaints, complaints->len);
    if (!type)
        return g_variant_ref_sink(g_variant_new_tuple(NULL, 0));
    result = g_variant_parse(type, output, NULL, NULL, &failure);
    if (!result)
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_FAILED,
                    "%s %s answers what cannot be understood: %s", name, verb, failure->message);
    return result;
}

/* systemd-run(1) hands the three files on, waits, and ends as the program did. The daemon's own unit
 * may not open the vendor's devices, load modules or write to /etc, and is better for it. */
static void
add_unit(GPtrArray *argv, const char *limit, const char *description)
{
    static const char bare[] = "--setenv=" VGPU_LOG_BARE "=1";
    static const char *const words[] = {
        "systemd-run",
        "--quiet",
        "--collect",
        "--pipe",
        "--wait",
        "--service-type=exec",
        "--property=LogLevelMax=notice", /* else five lines each time */
        bare,
    };

    for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
        g_ptr_array_add(argv, (gpointer) words[i]);
    g_ptr_array_add(argv, (gpointer) limit);
    g_ptr_array_add(argv, (gpointer) description);
    g_ptr_array_add(argv, (gpointer) "--");
}

/* Takes @in. @limit_s: after that it may be killed; 0: never. */
static GSubprocess *
spawn(const VgpuHostProgram *self, const char *const *args, guint limit_s, int in, int out,
      int err, GError **error)
{
    g_autofree char *limit = limit_s ? g_strdup_printf("--property=RuntimeMaxSec=%u", limit_s)
                                     : g_strdup("--property=RuntimeMaxSec=infinity");
    g_autofree char *description = g_strconcat("--description=", name_of(self), NULL);
    g_autoptr(GSubprocessLauncher) launcher = g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_NONE);
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    g_autoptr(GError) failure = NULL;
    GSubprocess *child;

    if (self->apart && g_access(self->path, X_OK) == 0) /* else the error is the usual one */
        add_unit(argv, limit, description);
    g_ptr_array_add(argv, (gpointer) self->path);
    if (self->root) {
        g_ptr_array_add(argv, (gpointer) "--root");
        g_ptr_array_add(argv, (gpointer) self->root);
    }
    if (self->config) {
        g_ptr_array_add(argv, (gpointer) "--config");
        g_ptr_array_add(argv, (gpointer) self->config);
    }
    for (; *args; args++)
        g_ptr_array_add(argv, (gpointer) *args);
    g_ptr_array_add(argv, NULL);

    g_subprocess_launcher_setenv(launcher, VGPU_LOG_BARE, "1", TRUE);
    g_subprocess_launcher_take_stdin_fd(launcher, in);
    g_subprocess_launcher_take_stdout_fd(launcher, fcntl(out, F_DUPFD_CLOEXEC, 0));
    g_subprocess_launcher_take_stderr_fd(launcher, fcntl(err, F_DUPFD_CLOEXEC, 0));
    child = g_subprocess_launcher_spawnv(launcher, (const char *const *) argv->pdata, &failure);
    if (!child)
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_NOT_SUPPORTED, "cannot run %s: %s", self->path,
                    failure->message);
    return child;
}

/* One that hangs is told of by its process id, for whoever looks into the host. */
static void
give_up(const VgpuHostProgram *self, GSubprocess *child, const char *const *args,
        guint timeout_ms, GSubprocess **left, GError **error)
{
    const char *id = g_subprocess_get_identifier(child);

    g_set_error(error, VGPU_ERROR, VGPU_ERROR_DRIVER,
                "%s %s%s%s (process %s) has not answered for %u s and was %s; look at the "
                "kernel's log",
                name_of(self), args[0], args[1] ? " " : "", args[1] ? args[1] : "", id ? id : "-",
                (timeout_ms + 999) / 1000, left ? "left behind" : "killed");
    if (left)
        *left = g_object_ref(child);
    else
        g_subprocess_force_exit(child);
}

GVariant *
vgpu_host_program_run(const VgpuHostProgram *self, const GVariantType *type,
                      const char *const *args, const char *input, guint timeout_ms,
                      GSubprocess **left, GError **error)
{
    int out = make_file("", error);
    int err = out < 0 ? -1 : make_file("", error);
    int in = err < 0 ? -1 : make_file(input ? input : "", error);
    g_autoptr(GSubprocess) child =
        in < 0 ? NULL : spawn(self, args, left ? 0 : timeout_ms / 1000 + 1, in, out, err, error);
    GVariant *result = NULL;

    vgpu_blocking_check("another program");
    if (child && !wait_for(child, timeout_ms)) {
        give_up(self, child, args, timeout_ms, left, error);
    } else if (child) {
        g_autofree char *output = read_file(out);
        g_autofree char *stderr_text = read_file(err);

        result = outcome(self, child, args[0], type, output, stderr_text, error);
    }
    if (out >= 0)
        close(out);
    if (err >= 0)
        close(err);
    return result;
}

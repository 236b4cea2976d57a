/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* stress: domains start, stop and lose their hooks while drivers are slow, fail and hang, and the daemon is killed
 * every two seconds; in the end nothing may be left
 *
 *   stress SECONDS SEED
 *
 * The seed determines the actions; their timing depends on the machine. In the last quarter of the time the daemon is
 * not killed, so that its memory can be measured. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/names.h"
#include "base/uuid.h"
#include "life.h"

#define CLIENTS 8
#define TICK_US 2000
#define MS 1000
#define END_S 60 /* for what hangs to come back, and for what has ended to be started again */
#define DEVICES_MAX 2

/* Of the daemon, without sanitizers. */
#define RSS_MOST_KIB (64 * 1024)
#define RSS_GROWTH_KIB (8 * 1024)

/* --- requests ------------------------------------------------------------------------------------- */

static const struct profile {
    const char *name, *type;
    bool on_vf; /* a VF that no other domain has */
} profiles[] = {
    { "GRID M10-1Q", "nvidia-39", false },   { "GRID M10-4Q", "nvidia-43", false },
    { "GRID M10-8Q", "nvidia-45", false },   { "GRID A100-5C", "nvidia-469", true },
    { "GRID A100-10C", "nvidia-471", true }, { "NVIDIA L40S-4Q", "1150", true },
    { "NVIDIA L40S-8Q", "1152", true },
};

/* One vGPU that a running domain has. */
typedef struct {
    char *name;  /* an mdev's UUID or a VF */
    char *where; /* "PARENT TYPE " */
    char *vf;    /* that only it may have; NULL: none */
} Held;

static void
held_clear(gpointer data)
{
    Held *self = data;

    g_free(self->name);
    g_free(self->where);
    g_free(self->vf);
}

typedef enum {
    OFF,
    STARTING,
    RUNNING,
    STOPPING, /* its release is under way */
    UNHEARD,  /* its release was missed, and has to be repeated */
} State;

typedef struct {
    guint vm;
    State state;
    gint64 at;   /* when something happens to it next */
    gint64 doom; /* when its hook is killed; 0: never */
    LifeHook hook;
    LifeHook
        forgotten; /* one that libvirt no longer waits for, and that still runs; pid 0: none */
    char *xml;
    const struct profile *asked[DEVICES_MAX];
    guint n_asked;
    GArray *held;    /* of Held */
    GArray *closing; /* the same, of the run before, while its QEMU ends */
    gint64 closed;   /* when it has */
    bool is_open;
} Client;

/* Temporary misbehaviour of a driver. */
typedef struct {
    const char *name;
    guint most_value; /* 0: it is only there */
    guint most_ms;    /* for so long; 0: until it is used up */
    gint64 until;     /* 0: it is not there */
} Fault;

static const Fault faults[] = {
    { "create_delay_ms", 80, 500, 0 },       { "create_late_ms", 80, 500, 0 },
    { "remove_delay_ms", 80, 500, 0 },       { "create_fail_next", 1, 0, 0 },
    { "reset_busy_next", 2, 0, 0 },          { "params_eio", 0, 200, 0 },
    { "lie_available", 0, 300, 0 },          { "hang_create-" LIFE_M10, 0, 400, 0 },
    { "hang_create-" LIFE_L40S, 0, 400, 0 }, { "hang_remove-" LIFE_M10_B, 0, 400, 0 },
    { "hang_remove-" LIFE_L40S, 0, 400, 0 }, { "hang_read-" LIFE_M10, 0, 700, 0 },
    { "hang_read-" LIFE_A100, 0, 700, 0 },   { "hang_open-" LIFE_VF, 0, 300, 0 },
};

typedef struct {
    Life *life;
    GRand *rand;
    Client clients[CLIENTS];
    Fault faults[G_N_ELEMENTS(faults)];
    bool is_over; /* no new start */
    guint starts, refusals, lost_hooks, kills;
    long rss,
        rss_calm; /* the most of any daemon; when it was killed for the last time, or soon after */
    guint tests, failures;
    GString *wrong; /* what a running domain has lost, or two have */
} Stress;

static guint
below(Stress *self, guint n)
{
    return (guint) g_rand_int_range(self->rand, 0, (gint32) n);
}

static gint64
in_ms(Stress *self, guint least, guint most)
{
    return g_get_monotonic_time() + (gint64) (least + below(self, most - least + 1)) * MS;
}

/* --- vGPUs of running domains --------------------------------------------------------------------- */

static void
set_open(Stress *self, const GArray *held, bool open)
{
    for (guint i = 0; i < held->len; i++) {
        g_autofree char *knob = g_strconcat("open-", g_array_index(held, Held, i).name, NULL);

        life_knob(self->life, knob, open ? "1\n" : NULL);
    }
}

static bool
has_another(const Stress *self, const Client *client, const char *vf)
{
    for (guint i = 0; i < CLIENTS; i++) {
        const Client *other = &self->clients[i];

        for (guint j = 0; other != client && j < other->held->len; j++) {
            if (g_strcmp0(g_array_index(other->held, Held, j).vf, vf) == 0)
                return true;
        }
    }
    return false;
}

static void
hold(Stress *self, Client *client, GKeyFile *claim, const char *uuid,
     const struct profile *profile)
{
    g_autofree char *parent = g_key_file_get_string(claim, uuid, "parent", NULL);
    g_autofree char *name = g_key_file_get_string(claim, uuid, "profile", NULL);
    g_autofree char *interface = g_key_file_get_string(claim, uuid, "interface", NULL);
    bool is_mdev = g_strcmp0(interface, "mdev") == 0;
    Held held = {
        .name = g_strdup(is_mdev ? uuid : parent),
        .where = g_strdup_printf("%s %s ", parent, profile->type),
        .vf = profile->on_vf ? g_strdup(parent) : NULL,
    };

    if (g_strcmp0(name, profile->name) != 0)
        g_string_append_printf(self->wrong, "vm%u wanted %s and has got %s\n", client->vm,
                               profile->name, name ? name : "nothing");
    if (held.vf && has_another(self, client, held.vf))
        g_string_append_printf(self->wrong, "vm%u has got %s, which another one has\n",
                               client->vm, held.vf);
    g_array_append_val(client->held, held);
}

/* The start has succeeded: find the vGPUs that it got. */
static void
take_stock(Stress *self, Client *client)
{
    g_autofree char *text = life_claim(self->life, client->vm);
    g_autofree char *uuid = life_uuid(client->vm);
    g_autoptr(GKeyFile) claim = g_key_file_new();

    if (!text || !g_key_file_load_from_data(claim, text, (gsize) -1, G_KEY_FILE_NONE, NULL)) {
        g_string_append_printf(self->wrong, "vm%u runs and has no claim\n", client->vm);
        return;
    }
    for (guint i = 0; i < client->n_asked; i++) {
        g_autofree char *vgpu = vgpu_uuid_for_domain(uuid, i);

        hold(self, client, claim, vgpu, client->asked[i]);
    }
}

/* A removal that is written hides it at once, and keeps its record until it is closed. */
static bool
is_visible(const Stress *self, const Held *held)
{
    g_autofree char *link =
        g_build_filename(self->life->root, VGPU_SYS_MDEV_DEVICES, held->name, NULL);

    return strchr(held->name, ':') || g_file_test(link, G_FILE_TEST_IS_SYMLINK);
}

static void
check_held(Stress *self, const Client *client, const GArray *all, const char *what)
{
    for (guint i = 0; i < all->len; i++) {
        const Held *held = &g_array_index(all, Held, i);
        g_autofree char *is = life_device(self->life, held->name);

        if (!is || !g_str_has_prefix(is, held->where) || !is_visible(self, held))
            g_string_append_printf(self->wrong, "vm%u %s, and its vGPU %s is '%s', not '%s'\n",
                                   client->vm, what, held->name, is ? is : "(gone)", held->where);
    }
}

/* QEMU has ended, or still has the vGPU open: then the vGPU must still exist. */
static void
tick_closing(Stress *self, Client *client)
{
    if (!client->closing->len)
        return;
    check_held(self, client, client->closing, "has it open");
    if (g_get_monotonic_time() < client->closed && !self->is_over)
        return;
    set_open(self, client->closing, false);
    g_array_set_size(client->closing, 0);
}

static void
take_leave(Stress *self, Client *client)
{
    GArray *held = client->held;

    if (client->is_open && below(self, 2) == 0 && !client->closing->len) {
        client->held = client->closing;
        client->closing = held;
        client->closed = in_ms(self, 1, 300);
    } else if (client->is_open) {
        set_open(self, held, false);
    }
    client->is_open = false;
    g_array_set_size(client->held, 0);
}

/* --- a domain ------------------------------------------------------------------------------------- */

static void
choose(Stress *self, Client *client)
{
    GString *devices = g_string_new(NULL);
    guint mdevs = 0;
    bool is_late = below(self, 4) == 0;

    client->n_asked = 1 + (below(self, 4) == 0);
    for (guint i = 0; i < client->n_asked; i++) {
        const struct profile *profile = &profiles[below(self, G_N_ELEMENTS(profiles))];

        client->asked[i] = profile;
        g_string_append_printf(devices, "<vgpu:device profile='%s'>", profile->name);
        if (below(self, 3) == 0)
            g_string_append_printf(devices, "<vgpu:param name='loglevel' value='%u'/>",
                                   below(self, 9));
        g_string_append(devices, "</vgpu:device>");
        if (mdevs == i && !is_late && !g_str_has_prefix(profile->name, "NVIDIA"))
            mdevs++;
    }
    g_free(client->xml);
    client->xml = life_xml(client->vm, devices->str, mdevs, 0);
    g_string_free(devices, TRUE);
}

static void
begin_start(Stress *self, Client *client)
{
    choose(self, client);
    client->hook = life_hook(self->life, client->vm, client->xml, "prepare");
    client->state = STARTING;
    client->doom = below(self, 6) == 0 ? in_ms(self, 0, 60) : 0;
    self->starts++;
}

static void
begin_stop(Stress *self, Client *client)
{
    take_leave(self, client);
    client->hook = life_hook(self->life, client->vm, client->xml, "release");
    client->state = STOPPING;
}

/* Of one that has ended. After a hook that was killed, libvirt runs a release, or was killed itself. */
static void
end_start(Stress *self, Client *client, int status)
{
    client->doom = 0;
    if (status == 0) {
        client->state = RUNNING;
        client->at = in_ms(self, 10, 400);
        take_stock(self, client);
        client->is_open = below(self, 2) == 0;
        if (client->is_open)
            set_open(self, client->held, true);
    } else if (status < 0 && below(self, 2) == 0) {
        client->state = OFF;
        client->at = in_ms(self, 0, 50);
    } else {
        self->refusals += status > 0;
        begin_stop(self, client);
    }
}

/* libvirtd, or the hook, was killed, and the domain is started again while the hook of its last start runs. libvirtd
 * takes longer to restart than a hook to begin; a hook that began later would be the newer start. */
static void
lose_hook(Stress *self, Client *client)
{
    client->doom = 0;
    self->lost_hooks++;
    if (!client->forgotten.pid && below(self, 2) == 0 && life_hook_has_begun(&client->hook)) {
        client->forgotten = client->hook;
        begin_start(self, client);
    } else {
        kill(client->hook.pid, SIGKILL);
    }
}

static void
tick_forgotten(Client *client)
{
    g_autofree char *said = NULL;
    int status;

    if (client->forgotten.pid && life_hook_ended(&client->forgotten, &status, &said))
        client->forgotten.pid = 0;
}

static void
tick_hook(Stress *self, Client *client)
{
    g_autofree char *said = NULL;
    int status;

    if (client->doom && g_get_monotonic_time() >= client->doom)
        lose_hook(self, client);
    if (!life_hook_ended(&client->hook, &status, &said))
        return;
    if (client->state == STARTING) {
        end_start(self, client, status);
    } else {
        client->state = said && *said ? UNHEARD : OFF;
        client->at = in_ms(self, 5, 60);
    }
}

static void
tick(Stress *self, Client *client)
{
    bool is_due = g_get_monotonic_time() >= client->at;

    tick_forgotten(client);
    tick_closing(self, client);
    if (client->state == STARTING || client->state == STOPPING)
        tick_hook(self, client);
    else if (client->state == OFF && is_due && !self->is_over)
        begin_start(self, client);
    else if (client->state == UNHEARD && is_due)
        begin_stop(self, client);
    else if (client->state == RUNNING && (is_due || self->is_over))
        begin_stop(self, client);
    else if (client->state == RUNNING)
        check_held(self, client, client->held, "runs");
}

/* --- drivers, and the daemon ----------------------------------------------------------------------- */

static void
tick_faults(Stress *self)
{
    gint64 now = g_get_monotonic_time();

    for (guint i = 0; i < G_N_ELEMENTS(faults); i++) {
        Fault *fault = &self->faults[i];

        if (fault->until && now >= fault->until) {
            life_knob(self->life, fault->name, NULL);
            fault->until = 0;
        } else if (!fault->until && below(self, 1500) == 0) {
            g_autofree char *value =
                g_strdup_printf("%-8u\n", 1 + below(self, MAX(fault->most_value, 1)));

            life_knob(self->life, fault->name, value);
            fault->until = in_ms(self, 20, fault->most_ms ? fault->most_ms : 5000);
        }
    }
}

static void
end_faults(Stress *self)
{
    for (guint i = 0; i < G_N_ELEMENTS(faults); i++) {
        life_knob(self->life, faults[i].name, NULL);
        self->faults[i].until = 0;
    }
}

/* KiB; 0: unknown, or distorted by sanitizers. */
static long
measure(const Stress *self)
{
    g_autofree char *status_path = g_strdup_printf("/proc/%d/status", self->life->daemon);
    g_autofree char *maps_path = g_strdup_printf("/proc/%d/maps", self->life->daemon);
    g_autofree char *status = NULL;
    g_autofree char *maps = NULL;
    const char *rss;

    if (!g_file_get_contents(status_path, &status, NULL, NULL) ||
        !g_file_get_contents(maps_path, &maps, NULL, NULL) || strstr(maps, "libasan") ||
        strstr(maps, "libtsan") || !(rss = strstr(status, "VmRSS:")))
        return 0;
    return strtol(rss + strlen("VmRSS:"), NULL, 10);
}

static bool
kill_daemon(Stress *self)
{
    self->rss = MAX(self->rss, measure(self));
    self->kills++;
    life_kill(self->life);
    g_usleep(below(self, 2) * below(self, 300) * MS);
    return life_up(self->life);
}

/* False: the daemon has ended without being killed. */
static bool
run_until(Stress *self, gint64 end, bool with_kills)
{
    gint64 next_kill = in_ms(self, 1000, 3000);

    while (g_get_monotonic_time() < end && !self->wrong->len) {
        for (guint i = 0; i < CLIENTS; i++)
            tick(self, &self->clients[i]);
        tick_faults(self);
        if (!life_runs(self->life))
            return false;
        if (with_kills && g_get_monotonic_time() >= next_kill) {
            if (!kill_daemon(self))
                return false;
            next_kill = in_ms(self, 1000, 3000);
        }
        g_usleep(TICK_US);
    }
    return true;
}

static bool
is_quiet(const Stress *self)
{
    for (guint i = 0; i < CLIENTS; i++) {
        if (self->clients[i].state != OFF || self->clients[i].forgotten.pid ||
            self->clients[i].closing->len)
            return false;
    }
    return true;
}

/* Stop all domains, including forgotten ones. Returns what is left. */
static char *
wind_up(Stress *self)
{
    gint64 deadline = g_get_monotonic_time() + END_S * G_USEC_PER_SEC;

    self->is_over = true;
    end_faults(self);
    for (int round = 0; round < 2; round++) {
        while (!is_quiet(self) && g_get_monotonic_time() < deadline) {
            for (guint i = 0; i < CLIENTS; i++)
                tick(self, &self->clients[i]);
            g_usleep(TICK_US);
        }
        for (guint i = 0; round == 0 && i < CLIENTS; i++) {
            if (self->clients[i].xml && self->clients[i].state == OFF)
                begin_stop(self, &self->clients[i]);
        }
    }
    if (!is_quiet(self))
        return g_strdup("a hook that does not end");
    return life_wait_for_nothing(self->life, END_S);
}

/* --- results -------------------------------------------------------------------------------------- */

static void
check(Stress *self, const char *what, const char *wrong)
{
    g_auto(GStrv) lines = g_strsplit(wrong ? wrong : "", "\n", -1);

    printf("%sok %u - %s\n", wrong ? "not " : "", ++self->tests, what);
    for (guint i = 0; lines[i]; i++) {
        if (*lines[i])
            printf("#   %s\n", lines[i]);
    }
    self->failures += wrong != NULL;
}

/* Check that the whole capacity of each GPU is available. */
static char *
fill(Stress *self)
{
    static const char *const all[] = {
        "<vgpu:device gpu='" LIFE_M10 "' profile='GRID M10-8Q'/>",
        "<vgpu:device gpu='" LIFE_M10_B "' profile='GRID M10-8Q'/>",
        "<vgpu:device gpu='" LIFE_L40S "' profile='NVIDIA L40S-48Q'/>",
    };

    for (guint i = 0; i < G_N_ELEMENTS(all); i++) {
        g_autofree char *xml = life_xml(CLIENTS + 1, all[i], 0, 0);
        char *said = life_start(self->life, CLIENTS + 1, xml);

        if (said || (said = life_stop(self->life, CLIENTS + 1, xml)))
            return said;
    }
    return life_wait_for_nothing(self->life, END_S);
}

static char *
judge_memory(const Stress *self, long end)
{
    if (self->rss <= RSS_MOST_KIB &&
        (!end || !self->rss_calm || end - self->rss_calm <= RSS_GROWTH_KIB))
        return NULL;
    return g_strdup_printf("%ld KiB at most; %ld after the last kill, and %ld in the end",
                           self->rss, self->rss_calm, end);
}

static void
print_log(const Stress *self)
{
    g_autofree char *log = NULL;
    const char *at;
    guint lines = 0;

    if (!self->failures || !g_file_get_contents(self->life->log, &log, NULL, NULL))
        return;
    for (at = log + strlen(log); at > log && lines < 60; at--)
        lines += at[-1] == '\n';
    fprintf(stderr, "%s", at);
}

static void
run(Stress *self, guint seconds)
{
    gint64 begin = g_get_monotonic_time(), whole = (gint64) seconds * G_USEC_PER_SEC;
    g_autofree char *left = NULL;
    g_autofree char *filled = NULL;
    g_autofree char *memory = NULL;
    bool lives = life_up(self->life) && run_until(self, begin + whole * 3 / 4, true);
    long end;

    self->rss_calm = measure(self);
    lives = lives && run_until(self, begin + whole, false);
    end = measure(self);
    self->rss = MAX(self->rss, end);
    check(self, "the daemon lives until it is killed", lives ? NULL : "it has ended");
    check(self, "what a running domain has stays its own",
          self->wrong->len ? self->wrong->str : NULL);
    left = lives ? wind_up(self) : g_strdup("no daemon");
    check(self, "nothing is left", left);
    filled = lives ? fill(self) : g_strdup("no daemon");
    check(self, "all of each GPU is available", filled);
    memory = judge_memory(self, end);
    check(self, "the daemon does not grow", memory);
    life_kill(self->life);
    g_free(left);
    left = life_wait_for_nothing(self->life, END_S);
    check(self, "no process is left", left);
    printf("# %u starts, %u refused, %u lost their hooks, %u kills; %ld KiB\n", self->starts,
           self->refusals, self->lost_hooks, self->kills, self->rss);
}

int
main(int argc, char **argv)
{
    Stress self = { .wrong = g_string_new(NULL) };

    if (argc != 3 || atoi(argv[1]) <= 0) {
        fprintf(stderr, "usage: stress SECONDS SEED\n");
        return 2;
    }
    self.life = life_new();
    life_add(self.life, "a100");
    self.rand = g_rand_new_with_seed((guint32) strtoul(argv[2], NULL, 10));
    memcpy(self.faults, faults, sizeof(faults));
    for (guint i = 0; i < CLIENTS; i++) {
        self.clients[i].vm = i + 1;
        self.clients[i].held = g_array_new(FALSE, TRUE, sizeof(Held));
        g_array_set_clear_func(self.clients[i].held, held_clear);
        self.clients[i].closing = g_array_new(FALSE, TRUE, sizeof(Held));
        g_array_set_clear_func(self.clients[i].closing, held_clear);
    }
    run(&self, (guint) atoi(argv[1]));
    if (self.failures)
        printf("# repeat it: tests/stress %s %s\n", argv[1], argv[2]);
    print_log(&self);
    printf("1..%u\n", self.tests);
    for (guint i = 0; i < CLIENTS; i++) {
        g_array_unref(self.clients[i].held);
        g_array_unref(self.clients[i].closing);
        g_free(self.clients[i].xml);
    }
    g_string_free(self.wrong, TRUE);
    g_rand_free(self.rand);
    life_free(self.life);
    return self.failures ? EXIT_FAILURE : EXIT_SUCCESS;
}

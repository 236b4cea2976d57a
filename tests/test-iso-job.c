/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The image of a pool: the job made from the definition, and the program's errors. */
#include "test.h"

#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "daemon/iso-job.h"
#include "scratch.h"

#define POOL(rest)                                                                               \
    "<vgpupool><name>design</name><source><gpu address='0000:41:00.0'/></source>" rest           \
    "</vgpupool>"

static VgpuPool *
pool_of(const char *xml)
{
    g_autoptr(GError) error = NULL;
    VgpuPool *pool = vgpu_pool_parse(xml, strlen(xml), "test", &error);

    if (!pool)
        fail_msg("%s", error->message);
    return pool;
}

static VgpuIsoJob *
job_of(const char *xml)
{
    const VgpuConfig config = { .file = (char *) "/x/conf", .dir = (char *) "/x/conf.d" };
    g_autoptr(VgpuPool) pool = pool_of(xml);

    return vgpu_iso_job_new(pool, &config);
}

static const struct {
    const char *xml;
    const char *error; /* NULL: may be defined */
} pools[] = {
    { POOL(""), NULL },
    { POOL("<driverISO path='/images/grid.iso'/>"), NULL },
    { POOL("<driverISO path='/images/grid.iso'><bundle path='/srv/grid'/>"
           "<token path='/srv/x.tok'/></driverISO>"),
      NULL },
    { POOL("<driverISO path='/etc/shadow'/>"),
      "/etc/shadow is not in a directory that is allowed for it (/images); move it "
      "there, or add its directory to 'directories' in [images]" },
    { POOL("<driverISO path='/images/grid.iso'><bundle path='/srv/a'/>"
           "<bundle path='/etc/shadow'/></driverISO>"),
      "add its directory to 'source_directories' in [images]" },
    { POOL("<driverISO path='/images/grid.iso'><bundle path='/srv/../etc/shadow'/></driverISO>"),
      "source_directories" },
    { POOL("<driverISO path='/images/grid.iso'><bundle path='/srv/a'/>"
           "<token path='/etc/shadow'/></driverISO>"),
      "/etc/shadow is not in a directory" },
    { POOL("<driverISO path='/srv/grid.iso'><bundle path='/srv/a'/></driverISO>"),
      "'directories'" },
};

static void
test_check(void **state)
{
    char *images[] = { (char *) "/images", NULL }, *sources[] = { (char *) "/srv", NULL };
    const VgpuConfig config = { .image_dirs = images, .image_sources = sources };

    (void) state;
    for (gsize i = 0; i < G_N_ELEMENTS(pools); i++) {
        g_autoptr(VgpuPool) pool = pool_of(pools[i].xml);
        g_autoptr(GError) error = NULL;

        if (vgpu_iso_job_check(pool, &config, &error) != !pools[i].error)
            fail_msg("%s: %s", pools[i].xml, error ? error->message : "was taken");
        if (error && !strstr(error->message, pools[i].error))
            fail_msg("%s: %s", pools[i].xml, error->message);
        if (error)
            assert_int_equal(error->code, VGPU_ERROR_BAD_REQUEST);
    }
}

static void
test_nothing_to_build(void **state)
{
    (void) state;
    assert_null(job_of(POOL("")));
    assert_null(job_of(POOL("<driverISO path='/x/grid.iso'/>")));
}

static void
test_definition(void **state)
{
    g_autoptr(VgpuIsoJob) job =
        job_of(POOL("<profiles><profile name='NVIDIA A2-4Q'/></profiles>"
                    "<driverISO path='/x/grid.iso'><bundle path='/x/a'/><bundle path='/x/b'/>"
                    "<gridd key='ServerPort' value='7070'/></driverISO>"));

    (void) state;
    assert_string_equal(job->pool, "design");
    assert_string_equal(job->output, "/x/grid.iso");
    assert_int_equal(g_strv_length(job->paths), 2);
    assert_string_equal(job->paths[1], "/x/b");
    assert_int_equal(g_strv_length(job->gridd), 1);
    assert_string_equal(job->gridd[0], "ServerPort=7070");
    assert_string_equal(job->profile, "NVIDIA A2-4Q");
    assert_null(job->token);
}

static void
test_build(void **state)
{
    g_autofree char *program = g_build_filename(g_getenv("builddir"), "virt-vgpu-iso", NULL);
    g_auto(Scratch) dir = scratch_new();
    g_autofree char *path = scratch_path(&dir, "grid.iso");
    g_autofree char *driver = scratch_path(&dir, "driver.run");
    g_autofree char *conf = scratch_path(&dir, "conf");
    g_autofree char *settings =
        g_strdup_printf("[images]\ndirectories=%s\nsource_directories=%s\n", dir.path, dir.path);
    const char *paths[] = { driver, NULL };
    const char *good[] = { "FeatureType=2", NULL }, *bad[] = { "FeatureType=4", NULL };
    VgpuIsoJob job = { .pool = (char *) "design",
                       .output = path,
                       .paths = (char **) paths,
                       .gridd = (char **) good,
                       .profile = (char *) "NVIDIA A2-4Q",
                       .config_file = conf,
                       .config_dir = dir.path };
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) lines = NULL;
    g_autofree char *begin = g_strdup_printf("driver image built: %s: 7 files, ", path);
    struct stat st;
    mode_t mask = umask(0077);

    (void) state;
    assert_null(vgpu_iso_job_refresh(&job, program, &error)); /* by the program itself */
    assert_non_null(strstr(error->message, "'source_directories' in [images]"));
    assert_int_equal(error->code, VGPU_ERROR_BAD_REQUEST);
    g_clear_error(&error);

    scratch_write(&dir, "conf", settings);
    assert_null(vgpu_iso_job_refresh(&job, program, &error));
    assert_non_null(strstr(error->message, "driver.run: No such file"));
    assert_int_equal(error->code, VGPU_ERROR_NOT_FOUND);
    assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
    g_clear_error(&error);

    scratch_write(&dir, "driver.run", "content");
    lines = vgpu_iso_job_refresh(&job, program, &error);
    umask(mask);
    if (!lines)
        fail_msg("%s", error->message);
    assert_int_equal(g_strv_length(lines), 1);
    if (!g_str_has_prefix(lines[0], begin))
        fail_msg("%s", lines[0]);
    assert_int_equal(g_stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640); /* QEMU's group reads it */

    job.gridd = (char **) bad;
    assert_null(vgpu_iso_job_refresh(&job, program, &error));
    assert_non_null(strstr(error->message, "FeatureType of 'NVIDIA A2-4Q'"));
    assert_int_equal(error->code, VGPU_ERROR_BAD_REQUEST);
    g_clear_error(&error);

    job.gridd = (char **) good;
    job.token = driver;
    assert_null(vgpu_iso_job_refresh(&job, program, &error));
    assert_non_null(strstr(error->message, "under its original name"));
    assert_int_equal(error->code, VGPU_ERROR_BAD_REQUEST);
    g_clear_error(&error);

    assert_null(vgpu_iso_job_refresh(&job, "/nothing/there", &error));
    assert_int_equal(error->code, VGPU_ERROR_NOT_SUPPORTED);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_to_build),
        cmocka_unit_test(test_definition),
        cmocka_unit_test(test_check),
        cmocka_unit_test(test_build),
    };

    return cmocka_run_group_tests_name("iso-job", tests, NULL, NULL);
}

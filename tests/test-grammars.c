/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The grammar tables of the programs against the public schemas of xml-schemas/: both must
 * agree on every document: on those below, on some with each text as each value, and on many
 * that are generated from the tables' own words and then damaged. The generator has a fixed
 * seed. */
#include "test.h"

#include <libxml/chvalid.h>
#include <libxml/xmlregexp.h>
#include <string.h>

#include "base/names.h"
#include "base/printable.h"
#include "base/xml.h"
#include "domain/schema.h"
#include "pool/pool-private.h"
#include "relaxng.h"
#include "setup/layout-grammar.h"

#define DOCUMENTS 1000
#define ATTRIBUTES_MAX 9 /* of one element; see relaxng.h */
#define FOREIGN "urn:x"

typedef enum { ANNOTATION, POOL, LAYOUT, N_GRAMMARS } Which;

static bool
check_annotation(xmlDoc *doc, const char *what, GError **error)
{
    xmlNode *root = xmlDocGetRootElement(doc);

    /* as the one that looks for it in the domain's XML */
    if (!root->ns || !xmlStrEqual(root->ns->href, BAD_CAST VGPU_XMLNS) ||
        !xmlStrEqual(root->name, BAD_CAST "devices"))
        return vgpu_schema_refuse(error, VGPU_ERROR_BAD_REQUEST, what, xmlGetLineNo(root),
                                  "no annotation");
    return vgpu_schema_check(root, what, error);
}

static const struct {
    const char *schema;
    const VgpuGrammarElement *root;
    const char *space;
    bool (*check)(xmlDoc *doc, const char *what, GError **error);
} grammars[N_GRAMMARS] = {
    [ANNOTATION] = { "virt-vgpu-domain.rng", &vgpu_schema_grammar, VGPU_XMLNS, check_annotation },
    [POOL] = { "virt-vgpu-pool.rng", &vgpu_pool_grammar, NULL, vgpu_pool_check_grammar },
    [LAYOUT] = { "virt-vgpu-host.rng", &vgpu_layout_grammar, NULL, vgpu_layout_grammar_check },
};

/* Whether the tables take @xml; the schema has to agree. */
static bool
judge(Which which, const char *what, const char *xml)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(xmlDoc) doc = vgpu_xml_parse(xml, strlen(xml), "x.xml", &error);
    g_autofree char *text = NULL;
    bool taken;

    if (!doc)
        fail_msg("%s: %s\n%s", what, error->message, xml);
    taken = grammars[which].check(doc, "x.xml", &error);
    text = error ? vgpu_error_text(error) : NULL;
    if (taken != !error || (error && !g_str_has_prefix(text, "x.xml: line ")))
        fail_msg("%s: %s\n%s", what, error ? error->message : "no reason", xml);
    if (taken != relaxng_takes(grammars[which].schema, doc))
        fail_msg("%s: the tables %s, %s does not agree:\n%s", what,
                 taken ? "take it" : error->message, grammars[which].schema, xml);
    return taken;
}

/* --- some documents ------------------------------------------------------------------------- */

#define DEVICE(inside)                                                                           \
    "<v:devices xmlns:v='" VGPU_XMLNS "' xmlns:x='" FOREIGN "'>" inside "</v:devices>"
#define MANY(text) text text text text text text text text
#define GPU(inside) "<vgpuhost><gpu address='41:00.0'>" inside "</gpu></vgpuhost>"
#define IN_POOL(name, inside)                                                                    \
    "<vgpupool><source><gpu address='41:00.0'/></source><name>" name "</name>" inside            \
    "</vgpupool>"
#define SCHEDULER(attributes) GPU("<scheduler policy='equal-share' " attributes "/>")

static const struct {
    const char *what;
    Which which;
    const char *xml;
    bool good;
} cases[] = {
    { "comments and PIs", ANNOTATION,
      DEVICE("<!-- a --><?b?><v:device profile='p'><!-- c --><?d?></v:device>\n"), true },
    { "libvirt's elements, in either namespace", ANNOTATION,
      DEVICE("<v:device profile='p'><v:hostdev><v:rom bar='on'/><boot order='1'/></v:hostdev>"
             "</v:device>"),
      true },
    { "libvirt's elements, in a third namespace", ANNOTATION,
      DEVICE("<v:device profile='p'><v:hostdev><x:rom bar='on'/></v:hostdev></v:device>"),
      false },
    { "libvirt's elements, in both namespaces", ANNOTATION,
      DEVICE("<v:device profile='p'><v:hostdev><v:rom bar='on'/><rom bar='on'/></v:hostdev>"
             "</v:device>"),
      false },
    { "ours without a namespace", ANNOTATION,
      DEVICE("<v:device profile='p'><param name='a' value='b'/></v:device>"), false },
    { "libvirt's elements, elsewhere", ANNOTATION,
      DEVICE("<v:device profile='p'><rom bar='on'/></v:device>"), false },
    { "blanks in CDATA", ANNOTATION, DEVICE("<![CDATA[ \n]]>"), true },
    { "blanks in an empty element", ANNOTATION,
      DEVICE("<v:device><v:profile name='p'> \n </v:profile></v:device>"), true },
    { "a comment in an empty element", ANNOTATION,
      DEVICE("<v:device><v:profile name='p'><!-- a --></v:profile></v:device>"), true },
    { "a no-break space", ANNOTATION, DEVICE("\302\240"), false },
    { "a no-break space in front of a name", ANNOTATION,
      DEVICE("<v:device profile='\302\240p'/>"), true },
    { "a C1 control character in a name", ANNOTATION, DEVICE("<v:device profile='a\302\205b'/>"),
      false },
    { "a character that writes from right to left", ANNOTATION,
      DEVICE("<v:device profile='a&#x202e;b'/>"), false },
    { "a name that is just short enough", ANNOTATION,
      DEVICE("<v:device profile='" MANY("abcdefghijklmnop") "'/>"), true },
    { "a name that is too long", ANNOTATION,
      DEVICE("<v:device profile='" MANY("abcdefghijklmnop") "q'/>"), false },
    { "a parameter whose name is too long", ANNOTATION,
      DEVICE("<v:device profile='p'><v:param name='" MANY(
          "abcdefghijklmnop") "q' value='b'/></v:device>"),
      false },
    { "a tenant whose name is too long", POOL,
      IN_POOL("p", "<tenants><tenant name='" MANY("abcdefghijklmnop") "q'/></tenants>"), false },
    { "a character that XML writes in two halves", ANNOTATION,
      DEVICE("<v:device profile='&#x1f600;'/>"), true },
    { "xml:space", ANNOTATION, DEVICE("<v:device profile='p' xml:space='preserve'/>"), false },
    { "xml:id", ANNOTATION, DEVICE("<v:device profile='p' xml:id='p'/>"), false },
    { "a foreign attribute of a known name", ANNOTATION, DEVICE("<v:device x:profile='p'/>"),
      false },
    { "a foreign attribute beside its like", ANNOTATION,
      DEVICE("<v:device profile='p' x:profile='p'/>"), false },
    { "a foreign element", ANNOTATION, DEVICE("<x:device profile='p'/>"), false },
    { "a foreign element in a device", ANNOTATION,
      DEVICE("<v:device profile='p'><x:param name='a' value='b'/></v:device>"), false },
    { "a device in a device", ANNOTATION,
      DEVICE("<v:device profile='p'><v:device profile='p'/></v:device>"), false },
    { "parameters between alternatives", ANNOTATION,
      DEVICE("<v:device pool='d'><v:profile name='p'/><v:param name='a' value='b'/>"
             "<v:profile name='q'/><v:param name='c' value='d'/></v:device>"),
      true },
    { "another namespace declared", ANNOTATION,
      DEVICE("<device xmlns='" VGPU_XMLNS "' profile='p'/>"), true },

    { "the order is free", POOL, IN_POOL("design", "<uuid/>"), false },
    { "a comment in a name", POOL, IN_POOL("de<!-- a -->sign", ""), true },
    { "a comment before a name", POOL, IN_POOL("<!-- a -->design", ""), true },
    { "a PI in a name", POOL, IN_POOL("design<?b?>", ""), true },
    { "a comment that the implicit pool hides behind", POOL, IN_POOL("def<!-- a -->ault", ""),
      false },
    { "CDATA in a name", POOL, IN_POOL("<![CDATA[de]]>sign", ""), true },
    { "a blank and a comment before a name", POOL, IN_POOL(" <!-- a -->design", ""), false },
    { "a name's blank behind a comment", POOL, IN_POOL("<!-- a --> design", ""), false },
    { "a blank at the end of a name", POOL, IN_POOL("design ", ""), false },
    { "the implicit pool and a blank", POOL, IN_POOL(" default", ""), false },
    { "an element in a name", POOL, IN_POOL("design<x/>", ""), false },
    { "a name in an element", POOL, IN_POOL("<x>design</x>", ""), false },
    { "an empty name", POOL, IN_POOL("", ""), false },
    { "a comment for a name", POOL, IN_POOL("<!-- a -->", ""), false },
    { "an attribute of a name", POOL, "<vgpupool><name lang='en'>a</name></vgpupool>", false },
    { "a comment for a description", POOL, IN_POOL("a", "<description><!-- a --></description>"),
      true },
    { "an element in a description", POOL,
      IN_POOL("a", "<description>a<x xmlns='" FOREIGN "'/></description>"), false },
    { "elements and rules, mixed", POOL,
      "<vgpupool><name>a</name><source><match/><gpu address='41:00.0'/><match/></source>"
      "</vgpupool>",
      true },
    { "a second source", POOL, IN_POOL("a", "<source><match/></source>"), false },
    { "two tokens", POOL,
      IN_POOL("a", "<driverISO path='/a'><token path='/b'/><token path='/c'/></driverISO>"),
      false },
    { "tenants, but none", POOL, IN_POOL("a", "<tenants><!-- b --></tenants>"), false },
    { "profiles, but none", POOL, IN_POOL("a", "<profiles/>"), false },
    { "domains, but none", POOL, IN_POOL("a", "<domains/>"), false },
    { "domains twice", POOL,
      IN_POOL("a", "<domains><domain name='b'/></domains><domains><domain name='c'/></domains>"),
      false },
    { "a use of nothing", POOL, IN_POOL("a", "<usage/>"), true },
    { "a line break in a key's value", POOL,
      IN_POOL("a", "<driverISO path='/a'><gridd key='K' value='a&#10;b'/></driverISO>"), false },

    { "the most VFs", LAYOUT, GPU("<sriov vfs='65535'/>"), true },
    { "one VF too many", LAYOUT, GPU("<sriov vfs='65536'/>"), false },
    { "far too many VFs", LAYOUT, GPU("<sriov vfs='99999'/>"), false },
    { "the longest time slice", LAYOUT, SCHEDULER("timeslice='30'"), true },
    { "a time slice too long", LAYOUT, SCHEDULER("timeslice='31'"), false },
    { "the highest averaging factor", LAYOUT, SCHEDULER("averaging='60'"), true },
    { "an averaging factor too high", LAYOUT, SCHEDULER("averaging='61'"), false },
    { "the lowest frequency", LAYOUT, SCHEDULER("frequency='63'"), true },
    { "a frequency too low", LAYOUT, SCHEDULER("frequency='62'"), false },
    { "the highest frequency", LAYOUT, SCHEDULER("frequency='960'"), true },
    { "a frequency too high", LAYOUT, SCHEDULER("frequency='961'"), false },
    { "elements of a GPU in any order", LAYOUT,
      GPU("<mig/><!-- a --><mode heterogeneous='no'/><?b?><sriov vfs='max'/>"), true },
    { "a GPU in a GPU", LAYOUT, GPU("<gpu address='42:00.0'/>"), false },
};

static void
test_cases(void **state)
{
    (void) state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        if (judge(cases[i].which, cases[i].what, cases[i].xml) != cases[i].good)
            fail_msg("%s: %s", cases[i].what, cases[i].good ? "refused" : "taken");
    }
}

/* --- random documents ------------------------------------------------------------------------ */

#define A16 "abcdefghijklmnop"
#define O16                                                                                      \
    "\303\266\303\266\303\266\303\266\303\266\303\266\303\266\303\266"                           \
    "\303\266\303\266\303\266\303\266\303\266\303\266\303\266\303\266"

static const char *const texts[] = {
    "0",
    "1",
    "9",
    "16",
    "17",
    "30",
    "31",
    "60",
    "61",
    "62",
    "63",
    "960",
    "961",
    "999",
    "1000",
    "9999",
    "10000",
    "65535",
    "65536",
    "007",
    "+1",
    "-1",
    "1 ",
    "18446744073709551617",
    "",
    " ",
    "a",
    "default",
    "design",
    "-x",
    ".x",
    "NVIDIA A2-4Q",
    " A2-4Q",
    "A2-4Q\n",
    "1g.5gb+me",
    "Gr\303\266\303\237e 4",
    "a\302\205b",
    "a\tb",
    "a\177b",
    "a234567890123456789012345678901234567890123456789012345678901234",
    "a2345678901234567890123456789012345678901234567890123456789012345",
    MANY(A16) /* 128 */,
    MANY(A16) "9",
    MANY(O16) /* 128 as well, in twice the bytes */,
    MANY(O16) "9",
    "a\302\2332Jb",       /* CSI */
    "a\342\200\256b",     /* from right to left */
    "a\342\201\246b",     /* an isolate */
    "a\342\200\213b",     /* no width */
    "a\342\200\250b",     /* another line */
    "a\315\270b",         /* not assigned */
    "a\360\221\202\275b", /* a format character of late */
    "\357\273\277ab",     /* byte order mark */
    "a,b=c",
    "auto",
    "on",
    "off",
    "yes",
    "max",
    "0000:41:00.0",
    "41:1f.7",
    "41:20.0",
    "41:00.8",
    "10000:e1:00.0",
    "00000041:0.0", /* a bus of eight digits */
    "123456789:41:00.0",
    "pci_0000_41_00_0",
    "pci_10000_e1_00_0",
    "pci_41_00_0",
    "6F0C5C1E-7a0b-4b57-9c1d-3b1f0a7c9e10",
    "6f0c5c1e7a0b4b579c1d3b1f0a7c9e10",
    "0x10de",
    "0x10DEF",
    "550.90-rc1",
    "550.",
    "/",
    "/srv/grid driver.iso",
    "srv",
};

typedef struct {
    GRand *dice;
    Which which;
    xmlDoc *doc;
    xmlNs *ns; /* the grammar's own, NULL: none */
    xmlNs *foreign;
} Maker;

static guint throw(const Maker *self, guint sides)
{
    return (guint) g_rand_int_range(self->dice, 0, (gint32) sides);
}

static const char *
any_text(const Maker *self)
{
    return texts[throw(self, G_N_ELEMENTS(texts))];
}

/* One that @is_valid takes. */
static const char *
valid_text(const Maker *self, const char *name, bool (*is_valid)(const char *text))
{
    guint first = throw(self, G_N_ELEMENTS(texts));

    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        const char *text = texts[(first + i) % G_N_ELEMENTS(texts)];

        if (!is_valid || is_valid(text))
            return text;
    }
    fail_msg("none of the texts is a value of '%s': add one", name);
    return NULL;
}

static void
add_attribute(const Maker *self, xmlNode *node, const VgpuGrammarAttribute *rule)
{
    g_auto(GStrv) words = g_strsplit(rule->expected, "|", -1);
    const char *value = rule->is_valid ? valid_text(self, rule->name, rule->is_valid)
                                       : words[throw(self, g_strv_length(words))];

    xmlSetProp(node, BAD_CAST rule->name, BAD_CAST value);
}

static void
add_attributes(const Maker *self, xmlNode *node, const VgpuGrammarElement *element)
{
    guint n = 0, left = ATTRIBUTES_MAX;

    for (const VgpuGrammarAttribute *rule = element->attributes; rule && rule->name; rule++)
        n++;
    for (guint i = 0; i < n; i++) {
        const VgpuGrammarAttribute *rule = &element->attributes[i];

        if (left > 0 && (rule->required || throw(self, 3) == 0)) {
            add_attribute(self, node, rule);
            left--;
        }
    }
}

/* Anywhere among the children of @parent. */
static void
put(const Maker *self, xmlNode *parent, xmlNode *child)
{
    xmlNode *next = parent->children;

    for (guint i = throw(self, 4); i > 0 && next; i--)
        next = next->next;
    if (next)
        xmlAddPrevSibling(next, child);
    else
        xmlAddChild(parent, child);
}

static xmlNode *
make_element(const Maker *self, const VgpuGrammarElement *element)
{
    xmlNode *node = xmlNewDocNode(self->doc, self->ns, BAD_CAST element->name, NULL);

    add_attributes(self, node, element);
    for (const VgpuGrammarElement *rule = element->children; rule && rule->name; rule++) {
        guint n = rule->many ? throw(self, 3) : (rule->required || throw(self, 3) == 0);

        for (n = MAX(n, element->filled != NULL && rule == element->children); n > 0; n--)
            put(self, node, make_element(self, rule));
    }
    if (element->text)
        xmlNodeAddContent(node, BAD_CAST valid_text(self, element->name, element->is_valid));
    return node;
}

/* --- damaged documents ------------------------------------------------------------------------ */

static xmlNode *
any_element(const Maker *self)
{
    g_autoptr(GPtrArray) nodes = vgpu_xml_nodes(self->doc, NULL, "//*");

    return nodes->pdata[throw(self, nodes->len)];
}

/* A rule of the grammar, by a walk of random length. */
static const VgpuGrammarElement *
any_rule(const Maker *self)
{
    const VgpuGrammarElement *rule = grammars[self->which].root;

    while (rule->children && throw(self, 4) != 0) {
        guint n = 0;

        while (rule->children[n].name)
            n++;
        rule = &rule->children[throw(self, n)];
    }
    return rule;
}

static xmlAttr *
any_attribute(const Maker *self, xmlNode *node)
{
    guint n = 0;
    xmlAttr *attr = node->properties;

    for (; attr; attr = attr->next)
        n++;
    attr = node->properties;
    for (n = n ? throw(self, n) : 0; n > 0; n--)
        attr = attr->next;
    return attr;
}

static void
change_attribute(const Maker *self, xmlNode *node)
{
    xmlAttr *attr = any_attribute(self, node);

    if (!attr)
        return;
    if (throw(self, 4) == 0)
        xmlRemoveProp(attr);
    else if (attr->ns)
        xmlSetNsProp(node, attr->ns, attr->name, BAD_CAST any_text(self));
    else
        xmlSetProp(node, attr->name, BAD_CAST any_text(self));
}

static void
add_any_attribute(const Maker *self, xmlNode *node)
{
    const VgpuGrammarElement *rule = any_rule(self);
    const VgpuGrammarAttribute *attr = rule->attributes;
    guint n = 0;

    for (xmlAttr *there = node->properties; there; there = there->next)
        n++;
    if (n >= ATTRIBUTES_MAX)
        return;
    for (n = 0; attr && attr[n].name; n++)
        ;
    if (throw(self, 4) == 0)
        xmlSetNsProp(node, self->foreign, BAD_CAST(n ? attr[throw(self, n)].name : "a"),
                     BAD_CAST "b");
    else if (n == 0)
        xmlSetProp(node, BAD_CAST "colour", BAD_CAST any_text(self));
    else
        add_attribute(self, node, &attr[throw(self, n)]);
}

static xmlNode *
make_any_node(const Maker *self)
{
    xmlNode *node;

    switch (throw(self, 8)) {
    case 0:
        return xmlNewDocText(self->doc, BAD_CAST any_text(self));
    case 1:
        return xmlNewDocText(self->doc, BAD_CAST " \n");
    case 2:
        return xmlNewCDataBlock(self->doc, BAD_CAST "a ", (int) throw(self, 3));
    case 3:
        return xmlNewDocComment(self->doc, BAD_CAST "a comment");
    case 4:
        return xmlNewDocPI(self->doc, BAD_CAST "pi", BAD_CAST "a");
    case 5:
        node = make_element(self, any_rule(self));
        xmlSetNs(node, throw(self, 2) ? self->foreign : NULL);
        return node;
    default:
        return make_element(self, any_rule(self));
    }
}

static void
damage(const Maker *self)
{
    xmlNode *node = any_element(self), *other = any_element(self), *copy;
    bool is_root = !node->parent || node->parent->type != XML_ELEMENT_NODE;

    switch (throw(self, 8)) {
    case 0:
        add_any_attribute(self, node);
        return;
    case 1:
        put(self, node, make_any_node(self));
        return;
    case 2:
        xmlNodeSetName(node, BAD_CAST any_rule(self)->name);
        return;
    case 3:
        if (!is_root) { /* twice, or elsewhere */
            copy = xmlDocCopyNode(node, self->doc, 1);
            put(self, throw(self, 2) ? node->parent : other, copy);
        }
        return;
    case 4:
        if (!is_root) {
            xmlUnlinkNode(node);
            xmlFreeNode(node);
        }
        return;
    default:
        change_attribute(self, node);
    }
}

/* --- both ------------------------------------------------------------------------------------ */

static void
make_document(Maker *self, GRand *dice, Which which)
{
    g_autoptr(GPtrArray) nodes = NULL;
    xmlNode *root;

    *self = (Maker) { .dice = dice, .which = which, .doc = xmlNewDoc(NULL) };
    root = make_element(self, grammars[which].root);
    xmlDocSetRootElement(self->doc, root);
    self->foreign = xmlNewNs(root, BAD_CAST FOREIGN, BAD_CAST "x");
    if (!grammars[which].space)
        return;
    self->ns = xmlNewNs(root, BAD_CAST grammars[which].space, BAD_CAST VGPU_XML_PREFIX);
    nodes = vgpu_xml_nodes(self->doc, NULL, "//*");
    for (guint i = 0; i < nodes->len; i++)
        xmlSetNs(nodes->pdata[i], self->ns);
}

static void
test_dice(void **state)
{
    (void) state;
    for (Which which = 0; which < N_GRAMMARS; which++) {
        g_autoptr(GRand) dice = g_rand_new_with_seed(8);
        guint taken = 0;

        for (guint i = 0; i < DOCUMENTS; i++) {
            g_autofree char *what = g_strdup_printf("document %u", i);
            g_autofree char *xml = NULL;
            Maker maker;

            make_document(&maker, dice, which);
            for (guint n = throw(&maker, 5); n > 1; n /= 2) /* mostly one: two hide each other */
                damage(&maker);
            xml = vgpu_xml_dump_doc(maker.doc);
            xmlFreeDoc(maker.doc);
            taken += judge(which, what, xml);
        }
        /* otherwise the random documents test nothing */
        if (taken < DOCUMENTS / 10 || taken > DOCUMENTS * 9 / 10)
            fail_msg("%s: %u of %u are good", grammars[which].schema, taken, DOCUMENTS);
    }
}

/* The attribute @name of the element at @xpath, or its text if @name is NULL, with every text. */
static void
try_texts(GRand *dice, Which which, const char *xpath, const char *name)
{
    g_autofree char *what = g_strdup_printf("%s: %s", xpath, name ? name : "text");
    xmlNode *node = NULL;
    Maker maker = { 0 };
    guint tries = 0;

    do {
        g_autofree char *xml = NULL;

        if (tries++ == DOCUMENTS * 10)
            fail_msg("%s: the dice made no good document that has it", what);
        g_clear_pointer(&maker.doc, xmlFreeDoc);
        make_document(&maker, dice, which);
        xml = vgpu_xml_dump_doc(maker.doc);
        node = judge(which, what, xml) ? vgpu_xml_node(maker.doc, NULL, xpath) : NULL;
    } while (!node);
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autofree char *xml = NULL;

        if (name) {
            xmlSetProp(node, BAD_CAST name, BAD_CAST texts[i]);
        } else {
            xmlNodeSetContent(node, NULL);
            xmlNodeAddContent(node, BAD_CAST texts[i]);
        }
        xml = vgpu_xml_dump_doc(maker.doc);
        judge(which, what, xml);
    }
    xmlFreeDoc(maker.doc);
}

static void
try_all_texts(GRand *dice, Which which, const char *parent, const VgpuGrammarElement *rule)
{
    g_autofree char *path = g_strdup_printf("%s/*[local-name()='%s']", parent, rule->name);

    for (const VgpuGrammarAttribute *attr = rule->attributes; attr && attr->name; attr++)
        try_texts(dice, which, path, attr->name);
    if (rule->text)
        try_texts(dice, which, path, NULL);
    for (const VgpuGrammarElement *child = rule->children; child && child->name; child++)
        try_all_texts(dice, which, path, child);
}

static void
test_texts(void **state)
{
    (void) state;
    for (Which which = 0; which < N_GRAMMARS; which++) {
        g_autoptr(GRand) dice = g_rand_new_with_seed(8);

        try_all_texts(dice, which, "", grammars[which].root);
    }
}

/* @n of @digits with @end behind them; 0: nothing. */
static void
append_digits(GString *address, const char *digits, guint n, char end)
{
    if (n)
        g_string_append_printf(address, "%.*s%c", (int) n, digits, end);
}

/* An address by its grammar alone, in every grammar that has one. */
static bool
judge_address(const char *address)
{
    static const char *const documents[N_GRAMMARS] = {
        [ANNOTATION] = DEVICE("<v:device profile='p' gpu='%s'/>"),
        [POOL] = "<vgpupool><name>a</name><source><gpu address='%s'/></source></vgpupool>",
        [LAYOUT] = "<vgpuhost><gpu address='%s'/></vgpuhost>",
    };
    guint taken = 0;

    for (Which which = 0; which < N_GRAMMARS; which++) {
        g_auto(GStrv) parts = g_strsplit(documents[which], "%s", 2);
        g_autofree char *xml = g_strconcat(parts[0], address, parts[1], NULL);

        taken += judge(which, address, xml);
    }
    if (taken % N_GRAMMARS)
        fail_msg("%s: not all grammars say the same", address);
    return taken;
}

/* PCI addresses with any number of digits in each part. */
static void
test_addresses(void **state)
{
    static const struct {
        const char *before;
        char colon, point;
    } ways[] = { { "", ':', '.' }, { "pci_", '_', '_' } };
    guint taken = 0;

    (void) state;
    for (guint n = 0; n < 10 * 4 * 4 * 3 * G_N_ELEMENTS(ways); n++) {
        guint i = n / (10 * 4 * 4 * 3);
        g_autoptr(GString) address = g_string_new(ways[i].before);

        append_digits(address, "000024011", n % 10, ways[i].colon);
        append_digits(address, "1ff", n / 10 % 4, ways[i].colon);
        append_digits(address, "1f0", n / 40 % 4, ways[i].point);
        g_string_append_printf(address, "%.*s", (int) (n / 160 % 3), "00");
        taken += judge_address(address->str);
    }
    /* One or two digits of bus and slot, one of function; up to eight of a domain, or, but for libvirt's, none. */
    assert_int_equal(taken, 4 * (9 + 8) + 2 * 2 /* of a domain, without a bus */);
}

/* --- the list of what is printable ------------------------------------------------------------ */

/* The patterns that list unprintable characters, as negated sets. Owned by the caller. */
static GPtrArray *
get_lists(void)
{
    GPtrArray *lists = g_ptr_array_new_with_free_func(g_free);

    for (Which which = 0; which < N_GRAMMARS; which++) {
        const char *top = g_getenv("top_srcdir");
        g_autofree char *path =
            g_strdup_printf("%s/xml-schemas/%s", top ? top : ".", grammars[which].schema);
        g_autoptr(xmlDoc) doc = xmlReadFile(path, NULL, 0);
        g_autoptr(GPtrArray) nodes = vgpu_xml_nodes(doc, NULL, "//*[@name='pattern']");

        for (guint i = 0; i < nodes->len; i++) {
            xmlChar *pattern = xmlNodeGetContent(nodes->pdata[i]);

            if (g_str_has_prefix((char *) pattern, "[^"))
                g_ptr_array_add(lists, g_strdup((char *) pattern));
            xmlFree(pattern);
        }
    }
    return lists;
}

/* All lists are equal, and agree with the programs about every character. */
static void
test_printable(void **state)
{
    g_autoptr(GPtrArray) lists = get_lists();
    xmlRegexp *regexp;

    (void) state;
    assert_true(lists->len >= 5);
    for (guint i = 1; i < lists->len; i++)
        assert_string_equal(lists->pdata[i], lists->pdata[0]);
    assert_non_null(regexp = xmlRegexpCompile(BAD_CAST lists->pdata[0]));
    for (gunichar c = '\t'; c <= 0x10ffff; c++) {
        char text[8] = "";

        if (!xmlIsCharQ(c)) /* XML has none such */
            continue;
        g_unichar_to_utf8(c, text);
        if ((xmlRegexpExec(regexp, BAD_CAST text) == 1) != vgpu_printable_char(c))
            fail_msg("U+%04X: the schemas do not agree with base/printable.c", c);
    }
    xmlRegFreeRegexp(regexp);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),     cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_printable), cmocka_unit_test(test_texts),
        cmocka_unit_test(test_dice),
    };

    xmlInitParser();
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: LGPL-2.1-or-later
// A list of any length that is searched, sorted and turned page by page.
import {
    Card, CardBody, CardHeader, CardTitle, EmptyState, EmptyStateBody, Pagination, SearchInput, Toolbar, ToolbarContent,
    ToolbarItem,
} from "@patternfly/react-core";
import { Table, Tbody, Td, Th, Thead, Tr } from "@patternfly/react-table";
import { useMemo, useState, type ReactNode } from "react";

import { found, paged, sorted, type Column, type Order } from "../model/list";
import { _ } from "./text";

export interface Shown<Row> {
    key: string;
    label: string;
    show: (row: Row) => ReactNode;
}

interface Props<Row> {
    title: string;
    id: string;
    rows: Row[];
    rowKey: (row: Row) => string;
    columns: Column<Row>[];
    shown: Shown<Row>[];
    first: Order;
    empty: string;
    actions?: ReactNode;
    search?: boolean;
}

export function DataTable<Row>(props: Props<Row>) {
    const { columns, rows } = props;
    const [text, setText] = useState("");
    const [order, setOrder] = useState(props.first);
    const [number, setNumber] = useState(1);
    const [size, setSize] = useState(50);
    const matching = useMemo(() => sorted(found(rows, columns, text), columns, order), [rows, columns, text, order]);
    const page = paged(matching, number, size);
    const search = props.search !== false;

    const sortOf = (key: string, index: number) => (columns.some(column => column.key === key)
        ? {
            sortBy: {
                index: props.shown.findIndex(one => one.key === order.key),
                direction: order.descending ? "desc" as const : "asc" as const,
            },
            onSort: (_event: unknown, _index: number, direction: string) =>
                setOrder({ key, descending: direction === "desc" }),
            columnIndex: index,
        }
        : undefined);

    const pagination = (
        <Pagination itemCount={page.total} perPage={size} page={page.number} isCompact widgetId={`${props.id}-pages`}
            titles={{ paginationAriaLabel: props.title }} perPageOptions={[20, 50, 100].map(n => ({ title: `${n}`, value: n }))}
            onSetPage={(_event, n) => setNumber(n)} onPerPageSelect={(_event, n) => setSize(n)} />
    );

    return (
        <Card id={props.id} component="section">
            <CardHeader actions={props.actions ? { actions: props.actions, hasNoOffset: true } : undefined}>
                <CardTitle component="h2">{props.title}</CardTitle>
            </CardHeader>
            <CardBody>
                {search && rows.length > 0 && (
                    <Toolbar>
                        <ToolbarContent>
                            <ToolbarItem>
                                <SearchInput aria-label={_("Search")} placeholder={_("Search")} value={text}
                                    onChange={(_event, value) => { setText(value); setNumber(1); }}
                                    onClear={() => setText("")} />
                            </ToolbarItem>
                            {rows.length > 20 && <ToolbarItem variant="pagination">{pagination}</ToolbarItem>}
                        </ToolbarContent>
                    </Toolbar>
                )}
                {page.total === 0
                    ? (
                        <EmptyState variant="xs">
                            <EmptyStateBody>{text ? _("Nothing matches the search") : props.empty}</EmptyStateBody>
                        </EmptyState>
                    )
                    : (
                        <Table aria-label={props.title} variant="compact" gridBreakPoint="grid-lg">
                            <Thead>
                                <Tr>
                                    {props.shown.map((one, index) => (
                                        <Th key={one.key} modifier="nowrap" sort={sortOf(one.key, index)}
                                            screenReaderText={one.label ? undefined : _("Actions")}>{one.label || undefined}</Th>
                                    ))}
                                </Tr>
                            </Thead>
                            <Tbody>
                                {page.rows.map(row => (
                                    <Tr key={props.rowKey(row)} data-row={props.rowKey(row)}>
                                        {props.shown.map(one => (
                                            <Td key={one.key} dataLabel={one.label || _("Actions")}>{one.show(row)}</Td>
                                        ))}
                                    </Tr>
                                ))}
                            </Tbody>
                        </Table>
                    )}
            </CardBody>
        </Card>
    );
}

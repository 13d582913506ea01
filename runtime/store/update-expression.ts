import type { UpdateCommandInput } from '@aws-sdk/lib-dynamodb';
import { PARTITION_KEY, SORT_KEY } from '../contract/transcripts-table';
import type { AttributePath, Condition, ItemChange } from './store-write';

/** The `UpdateItem` request for one update. Every name is an alias, since many are DynamoDB's reserved words. */
export function updateInput(tableName: string, update: ItemChange): UpdateCommandInput {
  const aliases = new Aliases();
  const expression = updateExpression(update, aliases);
  const condition = update.condition === undefined ? undefined : conditionText(update.condition, aliases);
  return {
    TableName: tableName,
    Key: { [PARTITION_KEY]: update.key.callSid, [SORT_KEY]: update.key.itemKey },
    UpdateExpression: expression,
    ...(condition === undefined ? {} : { ConditionExpression: condition }),
    ExpressionAttributeNames: aliases.names,
    ...(Object.keys(aliases.values).length === 0 ? {} : { ExpressionAttributeValues: aliases.values }),
  };
}

class Aliases {
  readonly names: Record<string, string> = {};
  readonly values: Record<string, unknown> = {};

  path(path: AttributePath): string {
    return (typeof path === 'string' ? [path] : path).map((name) => this.#name(name)).join('.');
  }

  value(value: unknown): string {
    const alias = `:v${Object.keys(this.values).length}`;
    this.values[alias] = value;
    return alias;
  }

  #name(name: string): string {
    const known = Object.entries(this.names).find(([, known]) => known === name);
    if (known !== undefined) return known[0];
    const alias = `#n${Object.keys(this.names).length}`;
    this.names[alias] = name;
    return alias;
  }
}

function updateExpression(update: ItemChange, aliases: Aliases): string {
  const set: string[] = [];
  for (const [name, value] of Object.entries(update.set ?? {})) {
    if (value !== undefined) set.push(`${aliases.path(name)} = ${aliases.value(value)}`);
  }
  for (const [name, value] of Object.entries(update.setIfAbsent ?? {})) {
    if (value === undefined) continue;
    const path = aliases.path(name);
    set.push(`${path} = if_not_exists(${path}, ${aliases.value(value)})`);
  }
  if (update.setEntry !== undefined) {
    set.push(`${aliases.path(update.setEntry.path)} = ${aliases.value(update.setEntry.value)}`);
  }
  const remove = (update.remove ?? []).map((name) => aliases.path(name));
  return [
    ...(set.length === 0 ? [] : [`SET ${set.join(', ')}`]),
    ...(remove.length === 0 ? [] : [`REMOVE ${remove.join(', ')}`]),
  ].join(' ');
}

function conditionText(condition: Condition, aliases: Aliases): string {
  if ('exists' in condition) return `attribute_exists(${aliases.path(condition.exists)})`;
  if ('absent' in condition) return `attribute_not_exists(${aliases.path(condition.absent)})`;
  if ('attribute' in condition) {
    return `${aliases.path(condition.attribute)} ${condition.is} ${aliases.value(condition.value)}`;
  }
  const [parts, word] = 'all' in condition ? [condition.all, ' AND '] : [condition.any, ' OR '];
  return `(${parts.map((part) => conditionText(part, aliases)).join(word)})`;
}

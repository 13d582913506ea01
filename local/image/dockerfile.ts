/**
 * The command of the Dockerfile's HEALTHCHECK, which not every tool keeps in the image.
 *
 * @throws Error when there is none in exec form
 */
export function healthCommand(dockerfile: string): readonly string[] {
  const [, json] = /^HEALTHCHECK[\s\S]*?CMD (\[.*\])$/m.exec(dockerfile) ?? [];
  if (json === undefined) throw new Error('runtime/Dockerfile: there is no HEALTHCHECK with CMD ["..."]');
  return JSON.parse(json) as string[];
}

/**
 * What the Dockerfile's ENTRYPOINT gives to Node before the program.
 *
 * @throws Error when there is none of that form
 */
export function nodeOptions(dockerfile: string): readonly string[] {
  const [, json] = /^ENTRYPOINT (\["node", .*\])$/m.exec(dockerfile) ?? [];
  if (json === undefined)
    throw new Error('runtime/Dockerfile: there is no ENTRYPOINT ["node", ..., "main.js"]');
  return (JSON.parse(json) as string[]).slice(1, -1);
}

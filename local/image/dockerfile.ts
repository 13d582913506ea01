/**
 * The command of the Dockerfile's HEALTHCHECK, which not every tool keeps in the image.
 *
 * @throws Error when there is none in exec form
 */
export function healthCommand(dockerfile: string): readonly string[] {
  return execForm(dockerfile, /^HEALTHCHECK[\s\S]*?CMD (\[.*\])$/m, 'HEALTHCHECK with CMD ["..."]');
}

/**
 * What the Dockerfile's ENTRYPOINT gives to Node before the program.
 *
 * @throws Error when there is none of that form
 */
export function nodeOptions(dockerfile: string): readonly string[] {
  const command = execForm(
    dockerfile,
    /^ENTRYPOINT (\["node", .*\])$/m,
    'ENTRYPOINT ["node", ..., "main.js"]',
  );
  return command.slice(1, -1);
}

function execForm(dockerfile: string, pattern: RegExp, wanted: string): readonly string[] {
  const [, json] = pattern.exec(dockerfile) ?? [];
  if (json === undefined) throw new Error(`runtime/Dockerfile: there is no ${wanted}`);
  return JSON.parse(json) as string[];
}

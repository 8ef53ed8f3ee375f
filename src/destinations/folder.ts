/** `/my//backups/` is `my/backups`; `.` and `..` are resolved as in a path, never above the store's root. */
export function folderOf(path: string): string {
  const parts: string[] = [];
  for (const part of path.trim().split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return parts.join("/");
}

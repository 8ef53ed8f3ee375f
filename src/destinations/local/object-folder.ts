import type { Area } from "../../contracts/destination.ts";
import { openBelow, openFolder, type OpenFolder } from "./folder.ts";
import { RECORD_FOLDER } from "../names.ts";

/** The folder that holds the object of these name components; the caller closes it. System errors are not translated. */
export async function openParent(
  folder: string,
  area: Area,
  components: readonly string[],
  create: boolean,
): Promise<OpenFolder> {
  const root = await openFolder(folder);
  if (area === "archive") return root;
  try {
    return await openBelow(root, [RECORD_FOLDER, ...components.slice(0, -1)], create);
  } finally {
    await root.close();
  }
}

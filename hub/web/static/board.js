// A page that only shows.
import { follow } from "./live.js";

follow(document.getElementById("board"));

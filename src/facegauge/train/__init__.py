"""How the score is learned: the only room with torch, timm and lightning."""

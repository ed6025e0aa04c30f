#!/usr/bin/env python3
"""The job of `depthwise run MODEL --video FILE --json` in OpenCV and LiteRT, as it is usually written.

usage: scripts/opencv_litert.py MODEL.tflite FILE RESIZE CROP
"""

import json
import sys
import time

import cv2
import numpy as np
from ai_edge_litert.interpreter import Interpreter

network = Interpreter(sys.argv[1], num_threads=1)
network.allocate_tensors()
takes, gives = network.get_input_details()[0], network.get_output_details()[0]
resize, crop = int(sys.argv[3]), int(sys.argv[4])
video = cv2.VideoCapture(sys.argv[2])
last = time.process_time()
while True:
    found, frame = video.read()
    if not found:
        break
    height, width = frame.shape[:2]
    scale = resize / min(height, width)
    small = cv2.resize(frame, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA)
    top, left = (small.shape[0] - crop) // 2, (small.shape[1] - crop) // 2
    rgb = cv2.cvtColor(small[top : top + crop, left : left + crop], cv2.COLOR_BGR2RGB)
    network.set_tensor(takes["index"], rgb[np.newaxis].astype(takes["dtype"]))
    network.invoke()
    best = int(network.get_tensor(gives["index"])[0].argmax())
    now = time.process_time()
    print(json.dumps({"label": best, "busy": now - last}))
    last = now

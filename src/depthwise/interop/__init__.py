"""The world's MobileNets, in and out: Keras, timm, TFLite and ONNX files as models, and models as such files."""
